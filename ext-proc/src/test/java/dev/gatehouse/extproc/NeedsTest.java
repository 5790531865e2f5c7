package dev.gatehouse.extproc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.ListenerKey;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Targets;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.resource.TransformPolicy.Headers;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.Step;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NeedsTest {
  private static final Meta META =
      new Meta("v1", "X", "shop", "orders", Map.of(), Map.of(), null, Origin.NONE);
  private static final Step REMOVES_A_HEADER = step(null, List.of("server"), Map.of(), List.of());
  private static final Step MASKS =
      step(null, List.of(), Map.of(), List.of(new JsonMask("/card", 4, Origin.NONE)));

  @Test
  void a_route_without_a_policy_needs_no_callout() {
    assertThat(Needs.of(rule(new Attachment.None<>())).any()).isFalse();
  }

  @Test
  void a_policy_without_steps_needs_no_callout() {
    assertThat(needs(List.of(), List.of()).any()).isFalse();
  }

  @Test
  void a_rejected_policy_needs_the_request_headers_so_that_the_stream_can_be_failed() {
    assertThat(Needs.of(rule(new Attachment.Rejected<>(META))))
        .isEqualTo(new Needs(true, true, false, false, false, 0, 0));
  }

  @Test
  void constant_response_headers_need_the_response_headers_only() {
    assertThat(needs(List.of(), List.of(REMOVES_A_HEADER)))
        .isEqualTo(new Needs(true, false, false, true, false, 0, 0));
  }

  @Test
  void a_response_step_that_may_look_at_the_request_needs_its_headers() {
    var conditional = step("request.method == 'GET'", List.of("server"), Map.of(), List.of());
    var templated = step(null, List.of(), Map.of("x-id", "${request.id}"), List.of());
    assertThat(needs(List.of(), List.of(conditional)).requestHeaders()).isTrue();
    assertThat(needs(List.of(), List.of(templated)).requestHeaders()).isTrue();
  }

  @Test
  void json_steps_need_the_body_and_say_their_limit() {
    assertThat(needs(List.of(MASKS), List.of()))
        .isEqualTo(new Needs(true, true, true, false, false, 1_000, 0));
    assertThat(needs(List.of(), List.of(MASKS)))
        .as("the request's headers too, to keep encodings out that cannot be read")
        .isEqualTo(new Needs(true, true, false, true, true, 0, 2_000));
  }

  private static Step step(
      @Nullable String when,
      List<String> remove,
      Map<String, String> set,
      List<TransformPolicy.JsonOp> json) {
    return new Step(
        when,
        new Headers(remove, Map.of(), set, Map.of()),
        null,
        null,
        null,
        json,
        null,
        null,
        Origin.NONE);
  }

  private static Needs needs(List<Step> request, List<Step> response) {
    var targets = new Targets(List.of(), List.of());
    return Needs.of(rule(new Attachment.Of<>(
        new TransformPolicy(META, targets, 1_000, 2_000, false, false, request, response))));
  }

  private static AttachedRule rule(Attachment<TransformPolicy> transform) {
    var listener = new Gateway.Listener(
        "http",
        80,
        "HTTP",
        null,
        List.of(),
        new Gateway.AllowedRoutes(Gateway.From.SAME, Map.of()),
        Origin.NONE);
    var rule = new HttpRoute.Rule("list", List.of(), List.of(), List.of(), null, Origin.NONE);
    return new AttachedRule(
        new ListenerKey("shop", "web", "http"),
        new RouteKey("HTTPRoute", "shop", "orders", "list"),
        new Gateway(META, List.of(listener)),
        listener,
        new HttpRoute(META, List.of(), List.of(), List.of(rule)),
        rule,
        0,
        List.of("*"),
        new Attachment.None<>(),
        new Attachment.None<>(),
        transform);
  }
}
