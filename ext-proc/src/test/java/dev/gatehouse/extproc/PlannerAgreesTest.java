package dev.gatehouse.extproc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.TransformCompiler;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.source.Load;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the planner has Envoy send is what the compiled steps want, no less and no more. */
class PlannerAgreesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "request: [{headers: {remove: [a], set: {b: c}}}]",
        "request: [{query: {set: {a: '${request.path}'}}, path: {prefix: /a, replacement: /b}}]",
        "request: [{json: [{op: set, at: /a, value: {b: ['${request.path}']}}]}]",
        "request: [{json: [{op: set, at: /a, value: '${request.body.b}'}]}]",
        "request: [{json: [{op: default, at: /a, value: 1}, {op: remove, at: /**/b}]}]",
        "request: [{json: [{op: rename, at: /a, to: b}, {op: mask, at: /c/*/d, keepLast: 2}]}]",
        "request: [{json: [{op: move, at: /a, to: /b}]}]",
        "request: [{form: {set: {a: b}}}]",
        "request: [{body: {template: '{}'}}]",
        "request: [{body: {template: '${request.body.a}'}}]",
        "request: [{body: {merge: {a: 1, b: null, c: {d: '${auth.sub}'}}}}]",
        "request: [{body: {replace: [{regex: a, replacement: b}]}}]",
        "request: [{when: request.body.a == 1, respond: {status: 400}}]",
        "request: [{respond: {status: 400, body: '${request.body.a}'}}]",
        "request: [{metadata: {a: '${request.body.a}'}}]",
        "request: [{metadata: {a: \"${metadata['x.y'].z}\"}}]",
        "request: [{when: \"'x.y' in metadata && has(auth.sub)\", headers: {remove: [a]}}]",
        "response: [{headers: {remove: [a]}}]",
        "response: [{when: response.code > 400, status: 502, body: {template: '{}'}}]",
        "response: [{json: [{op: mask, at: /a}]}]",
        "response: [{when: response.body.a == 'b', headers: {remove: [a]}}]",
        "response: [{headers: {set: {x-a: '${request.body.a}'}}}]",
        "response: [{json: [{op: mask, at: /a}]}, {headers: {set: {a: '${response.body.a}'}}}]",
      })
  void on_bodies_and_metadata(String spec) {
    var load = Load.text("policies.yaml", """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: web, namespace: shop}
        spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: orders, namespace: shop}
        spec: {parentRefs: [{name: web}], rules: [{name: all}]}
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: t, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        """ + spec.indent(2));
    var problems = new Problems();
    var rule = load.policies().rules().getFirst();
    var plan = rule.transform() instanceof Attachment.Of<TransformPolicy>(var policy)
        ? new TransformCompiler(problems).compile(policy)
        : null;
    assertThat(load.problems().all()).isEmpty();
    assertThat(problems.all()).isEmpty();
    var needs = Needs.of(rule);
    for (var direction : Direction.values()) {
      assertThat(needs.way(direction).body().name())
          .as(direction.name())
          .isEqualTo(Objects.requireNonNull(plan).bodyUse(direction).how().name());
    }
    var namespaces = new TreeSet<>(needs.metadata().keySet());
    namespaces.remove(Bindings.AUTHZ_NAMESPACE);
    assertThat(namespaces).isEqualTo(Objects.requireNonNull(plan).metadataNamespaces());
  }
}
