package dev.gatehouse.ratelimit;

import static dev.gatehouse.ratelimit.Requests.adding;
import static dev.gatehouse.ratelimit.Requests.descriptor;
import static dev.gatehouse.ratelimit.Requests.entry;
import static dev.gatehouse.ratelimit.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PlanTest {
  private final LimitTree tree = new LimitTreeCompiler()
      .compile(
          Shop.with(
                  "{clientSelectors: [{headers: [{name: x-user, type: Distinct}]}], limit: {requests: 5, unit: Minute}}",
                  "{limit: {requests: 100, unit: Hour}}")
              .policies(),
          null,
          new Problems());

  @Test
  void each_descriptor_with_a_limit_is_a_hit() {
    var plan = count(
        descriptor("rule-0-match-0", "alice"),
        descriptor(),
        descriptor("rule-1-match--1", "rule-1-match--1"));
    assertThat(plan.descriptors()).isEqualTo(3);
    assertThat(plan.unknown()).isZero();
    assertThat(plan.hits()).hasSize(2);
    assertThat(plan.hits().get(0)).satisfies(hit -> {
      assertThat(hit.descriptor()).isZero();
      assertThat(hit.subject()).isEqualTo("alice");
      assertThat(hit.limit().requests()).isEqualTo(5);
      assertThat(hit.addend()).isEqualTo(1);
    });
    assertThat(plan.hits().get(1)).satisfies(hit -> {
      assertThat(hit.descriptor()).isEqualTo(2);
      assertThat(hit.subject()).isEmpty();
    });
  }

  @Test
  void unknown_descriptors_and_domains_pass_and_are_told_of() {
    assertThat(count(descriptor("rule-7-match-0", "x")).unknown()).isEqualTo(1);
    assertThat(Plan.of(tree, request("shop/other/http", descriptor(), descriptor())))
        .isEqualTo(new Plan.Count(List.of(), 2, List.of(), 2));
  }

  @Test
  void a_domain_that_a_configuration_may_still_bring_cannot_be_judged() {
    var waiting = new LimitTree.Builder().add(tree).incomplete().build();
    assertThat(Plan.of(waiting, request("shop/other/http", descriptor())))
        .isEqualTo(new Plan.Invalid("no rate limit configuration loaded"));
    assertThat(Plan.of(waiting, request(Shop.DOMAIN, descriptor("rule-0-match-0", "alice"))))
        .isInstanceOf(Plan.Count.class);
  }

  @Test
  void a_descriptors_own_addend_goes_before_the_requests() {
    var user = descriptor("rule-0-match-0", "alice");
    assertThat(addend(0, user)).isEqualTo(1);
    assertThat(addend(7, user)).isEqualTo(7);
    assertThat(addend(-1, user)).isEqualTo(4_294_967_295L);
    assertThat(addend(7, adding(3, user))).isEqualTo(3);
    assertThat(addend(7, adding(0, user))).isZero();
    assertThat(addend(7, adding(-1, user))).isEqualTo(4_294_967_295L);
    assertThat(addend(7, adding(1L << 40, user))).isEqualTo(4_294_967_295L);
  }

  @Test
  void a_request_without_domain_or_descriptors_is_invalid() {
    assertThat(Plan.of(tree, request("", descriptor())))
        .isEqualTo(new Plan.Invalid("rate limit domain must not be empty"));
    assertThat(Plan.of(tree, request(Shop.DOMAIN)))
        .isEqualTo(new Plan.Invalid("rate limit descriptor list must not be empty"));
  }

  @Test
  void a_refused_route_refuses_the_request() {
    var refusing = new LimitTreeCompiler()
        .compile(
            Shop.with("{limit: {requests: 5, unit: Fortnight}}").policies(), null, new Problems());
    assertThat(Plan.of(refusing, request(descriptor()))).isEqualTo(new Plan.Refuse("shop/limits"));
  }

  @Test
  void a_descriptor_without_entries_is_no_limit() {
    var empty = RateLimitDescriptor.getDefaultInstance();
    assertThat(count(empty).hits()).isEmpty();
    assertThat(count(RateLimitDescriptor.newBuilder().addEntries(entry("", "")).build())
            .unknown())
        .isEqualTo(1);
  }

  private Plan.Count count(RateLimitDescriptor... descriptors) {
    return (Plan.Count) Plan.of(tree, request(descriptors));
  }

  private long addend(int ofRequest, RateLimitDescriptor descriptor) {
    var request = request(descriptor).toBuilder().setHitsAddend(ofRequest).build();
    return ((Plan.Count) Plan.of(tree, request)).hits().getFirst().addend();
  }
}
