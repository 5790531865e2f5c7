package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetsReaderTest {
  private static Read read(String targets) {
    return Read.of(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: p}\nspec:\n"
            + targets.indent(2));
  }

  private static Targets targets(Read read) {
    return ((Policy) read.resources().getFirst()).targets();
  }

  @Test
  void refs_a_single_ref_and_selectors_are_read() {
    var refs = read(
        "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g, sectionName: http}]\ntargetSelectors: [{kind: HTTPRoute, matchLabels: {app: shop}}]\n");
    var single = read("targetRef: {group: gateway.networking.k8s.io, kind: GRPCRoute, name: r}\n");

    assertThat(refs.problems()).isEmpty();
    assertThat(targets(refs).refs())
        .containsExactly(new Targets.Ref(
            "gateway.networking.k8s.io", "Gateway", "g", "http", new Origin("p.yaml", 5, 16)));
    assertThat(targets(refs).selectors().getFirst().matchLabels()).isEqualTo(Map.of("app", "shop"));
    assertThat(targets(single).refs()).extracting(Targets.Ref::name).containsExactly("r");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jwt: {} | names no target (expected: targetRefs or targetSelectors)",
        "targetRefs: [] | names no target",
        "targetRefs: {} | spec.targetRefs: expected a list, got a mapping",
        "targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute}] | \"name\" is missing",
        "targetRefs: [{kind: HTTPRoute, name: r}] | \"group\" is missing",
        "targetRefs: [{group: apps, kind: HTTPRoute, name: r}] | \"apps\" is not a group that policies attach to",
        "targetRefs: [{group: gateway.networking.k8s.io, kind: HttpRoute, name: r}] | (did you mean \"HTTPRoute\"?)",
        "targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r, namespace: x}] | a policy's targets are in its own namespace",
        "targetSelectors: [{kind: HTTPRoute, matchExpressions: []}] | matchExpressions: not supported yet",
        "targetSelectors: [{kind: HTTPRoute, namespaces: {from: All}}] | targets in other namespaces are not supported yet",
      })
  void targets_that_cannot_be_read_count_as_everything(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
    assertThat(targets(read).everything()).isTrue();
  }

  @Test
  void a_kind_that_is_not_supported_yet_rejects_the_policy_for_its_other_targets_only() {
    var read = read(
        "targetRefs:\n- {group: gateway.networking.k8s.io, kind: TLSRoute, name: g}\n- {group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:6:40: spec.targetRefs[0].kind: policies for this kind are not supported yet (expected: Gateway, HTTPRoute or GRPCRoute)");
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
    assertThat(targets(read).everything()).isFalse();
    assertThat(targets(read).refs()).hasSize(2);
  }
}
