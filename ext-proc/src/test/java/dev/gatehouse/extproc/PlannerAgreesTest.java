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
import org.junit.jupiter.params.provider.CsvSource;

/** What the planner has Envoy send is what the compiled steps want, no less and no more; of headers those of the direction that is named. */
class PlannerAgreesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "REQUEST | request: [{headers: {remove: [a], set: {b: c}}}]",
        "REQUEST | request: [{query: {set: {a: '${request.path}'}}, path: {prefix: /a, replacement: /b}}]",
        "REQUEST | request: [{json: [{op: set, at: /a, value: {b: ['${request.path}']}}]}]",
        "REQUEST | request: [{json: [{op: set, at: /a, value: '${request.body.b}'}]}]",
        "REQUEST | request: [{json: [{op: default, at: /a, value: 1}, {op: remove, at: /**/b}]}]",
        "REQUEST | request: [{json: [{op: rename, at: /a, to: b}, {op: mask, at: /c/*/d, keepLast: 2}]}]",
        "REQUEST | request: [{json: [{op: move, at: /a, to: /b}]}]",
        "REQUEST | request: [{form: {set: {a: b}}}]",
        "REQUEST | request: [{body: {template: '{}'}}]",
        "REQUEST | request: [{body: {template: '${request.body.a}'}}]",
        "REQUEST | request: [{body: {merge: {a: 1, b: null, c: {d: '${auth.sub}'}}}}]",
        "REQUEST | request: [{body: {replace: [{regex: a, replacement: b}]}}]",
        "REQUEST | request: [{when: request.body.a == 1, respond: {status: 400}}]",
        "REQUEST | request: [{respond: {status: 400, body: '${request.body.a}'}}]",
        "REQUEST | request: [{metadata: {a: '${request.body.a}'}}]",
        "REQUEST | request: [{metadata: {a: \"${metadata['x.y'].z}\"}}]",
        "REQUEST | request: [{when: \"'x.y' in metadata && has(auth.sub)\", headers: {remove: [a]}}]",
        "RESPONSE | response: [{headers: {remove: [a]}}]",
        "BOTH | response: [{when: response.code > 400, status: 502, body: {template: '{}'}}]",
        "BOTH | response: [{json: [{op: mask, at: /a}]}]",
        "BOTH | response: [{when: response.body.a == 'b', headers: {remove: [a]}}]",
        "BOTH | response: [{headers: {set: {x-a: '${request.body.a}'}}}]",
        "BOTH | response: [{json: [{op: mask, at: /a}]}, {headers: {set: {a: '${response.body.a}'}}}]",
      })
  void on_headers_bodies_and_metadata(String headers, String spec) {
    var load = Load.text("policies.yaml", NeedsTest.ROUTE + """
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
      assertThat(needs.way(direction).sendsHeaders())
          .as("headers of the %s", direction)
          .isEqualTo(headers.equals("BOTH") || headers.equals(direction.name()));
      assertThat(needs.way(direction).body().name())
          .as(direction.name())
          .isEqualTo(Objects.requireNonNull(plan).bodyUse(direction).how().name());
    }
    var namespaces = new TreeSet<>(needs.metadata().keySet());
    namespaces.remove(Bindings.AUTHZ_NAMESPACE);
    assertThat(namespaces).isEqualTo(Objects.requireNonNull(plan).metadataNamespaces());
  }
}
