package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride;
import io.envoyproxy.envoy.type.v3.RateLimitUnit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a tree of envoyproxy/ratelimit's configuration finds: wildcards, shared thresholds, names in statistics, overrides. */
final class ReferenceMatchingTest {
  @Test
  void the_exact_value_goes_before_a_wildcard_and_that_before_the_key_alone() {
    var tree = tree(
        limit(1, exact("path", "/a/b")), limit(2, wildcard("path", "/a/*")), limit(3, any("path")));
    assertThat(requests(tree, "path", "/a/b")).isEqualTo(1);
    assertThat(requests(tree, "path", "/a/c")).isEqualTo(2);
    assertThat(requests(tree, "path", "/b")).isEqualTo(3);
  }

  @Test
  void the_first_wildcard_that_matches_holds() {
    var tree = tree(limit(1, wildcard("path", "*/x")), limit(2, wildcard("path", "/a*")));
    assertThat(requests(tree, "path", "/a/x")).isEqualTo(1);
    assertThat(requests(tree, "path", "/a/y")).isEqualTo(2);
  }

  @Test
  void several_stars_match_in_their_order_and_do_not_overlap() {
    var pattern = new Wildcard("a*b*c");
    assertThat(List.of("abc", "aXbYc", "abbc", "abcbc")).allMatch(pattern::matches);
    assertThat(List.of("ac", "acb", "ab", "bc", "acbX")).noneMatch(pattern::matches);
    assertThat(new Wildcard("ab*ba").matches("aba")).isFalse();
    assertThat(new Wildcard("*").matches("")).isTrue();
    assertThat(new Wildcard("**a**").matches("xxaxx")).isTrue();
  }

  @Test
  void values_of_a_wildcard_count_by_themselves_unless_they_share() {
    var apart = tree(limit(1, wildcard("path", "/a*")));
    assertThat(subject(apart, "path", "/a1")).isEqualTo("/a1");
    assertThat(subject(apart, "path", "/a*")).isEmpty();
    var shared = tree(limit(1, new Step("path", "/a*", true, true, false)));
    assertThat(subject(shared, "path", "/a1")).isEmpty();
  }

  @Test
  void the_statistics_name_the_configurations_path() {
    var tree = tree(limit(1, exact("a", "1"), any("b"), wildcard("c", "x*")));
    assertThat(metric(tree, "a", "1", "b", "2", "c", "xy")).isEqualTo("d.a_1.b.c_x*");
  }

  @Test
  void value_to_metric_tells_the_value_of_its_level() {
    var tree = tree(
        limit(1, exact("a", "1"), new Step("b", null, false, false, true), any("c")),
        limit(2, new Step("w", "x*", true, false, true)),
        limit(3, new Step("s", "x*", true, true, true)));
    assertThat(metric(tree, "a", "1", "b", "2", "c", "3")).isEqualTo("d.a_1.b_2.c");
    assertThat(metric(tree, "w", "xy")).isEqualTo("d.w_xy");
    assertThat(metric(tree, "s", "xy")).isEqualTo("d.s_x*");
  }

  @Test
  void detailed_metric_tells_all_values_but_shared_ones() {
    var builder = new LimitTree.Builder();
    builder.limit(
        "d",
        List.of(any("a"), new Step("s", "x*", true, true, false)),
        Limit.Terms.of(1, Unit.MINUTE, ""),
        true);
    assertThat(metric(builder.build(), "a", "1", "s", "xy")).isEqualTo("d.a_1.s_x*");
  }

  @Test
  void an_override_is_a_limit_of_its_own_wherever_the_domain_is_known() {
    var tree = tree(limit(1, exact("a", "1")));
    var known = limited(tree, override(7, RateLimitUnit.HOUR, "a", "1"));
    assertThat(known.limit().requests()).isEqualTo(7);
    assertThat(known.limit().window()).isEqualTo(Window.of(Unit.HOUR));
    assertThat(known.metric()).isEqualTo("d.a_1");
    assertThat(known.limit().id())
        .as("counted where the limit is that it stands for")
        .isEqualTo(limited(tree, descriptor("a", "1")).limit().id());
    var other = limited(tree, override(7, RateLimitUnit.HOUR, "b", "2"));
    assertThat(other.limit().id()).isNotEqualTo(known.limit().id());
    assertThat(tree.match("e", override(7, RateLimitUnit.HOUR, "a", "1")))
        .isEqualTo(Match.Unknown.DOMAIN);
    assertThat(
            limited(tree, override(7, RateLimitUnit.UNKNOWN, "a", "1")).limit().requests())
        .as("without a unit it is none")
        .isEqualTo(1);
  }

  @Test
  void an_override_of_a_policys_limit_changes_its_number_and_keeps_the_rest() {
    var builder = new LimitTree.Builder();
    builder.limit(
        "d",
        List.of(exact("a", "1")),
        Limit.Terms.builder(10, Window.of(Unit.MINUTE), "shop/limits")
            .algorithm(Algorithm.TOKEN_BUCKET, 20)
            .name("n")
            .overridable(true)
            .build());
    var tree = builder.build();
    var before = limited(tree, descriptor("a", "1"));
    var after = limited(tree, override(50, RateLimitUnit.MINUTE, "a", "1"));
    assertThat(after.limit().id()).isEqualTo(before.limit().id());
    assertThat(after.limit().requests()).isEqualTo(50);
    assertThat(after.limit().terms().burst()).isEqualTo(100);
    assertThat(after.limit().terms().name()).isEqualTo("n");
  }

  @Test
  void a_policy_that_cannot_be_honoured_refuses_overrides_too() {
    var builder = new LimitTree.Builder();
    builder.refuse("d", List.of(exact("a", "1")), "shop/limits");
    assertThat(builder.build().match("d", override(7, RateLimitUnit.HOUR, "a", "1")))
        .isEqualTo(new Match.Refused("shop/limits"));
  }

  private record Path(long requests, List<Step> steps) {}

  private static Path limit(long requests, Step... steps) {
    return new Path(requests, List.of(steps));
  }

  private static LimitTree tree(Path... paths) {
    var tree = new LimitTree.Builder();
    for (var path : paths) {
      tree.limit("d", path.steps, Limit.Terms.of(path.requests, Unit.MINUTE, ""));
    }
    return tree.build();
  }

  private static Step exact(String key, String value) {
    return new Step(key, value);
  }

  private static Step any(String key) {
    return new Step(key, null);
  }

  private static Step wildcard(String key, String value) {
    return new Step(key, value, true, false, false);
  }

  private static RateLimitDescriptor descriptor(String... keysAndValues) {
    var descriptor = RateLimitDescriptor.newBuilder();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      descriptor.addEntriesBuilder().setKey(keysAndValues[i]).setValue(keysAndValues[i + 1]);
    }
    return descriptor.build();
  }

  private static RateLimitDescriptor override(
      int requests, RateLimitUnit unit, String... keysAndValues) {
    return descriptor(keysAndValues).toBuilder()
        .setLimit(RateLimitOverride.newBuilder().setRequestsPerUnit(requests).setUnit(unit))
        .build();
  }

  private static Match.Limited limited(LimitTree tree, RateLimitDescriptor descriptor) {
    return (Match.Limited) tree.match("d", descriptor);
  }

  private static long requests(LimitTree tree, String... keysAndValues) {
    return limited(tree, descriptor(keysAndValues)).limit().requests();
  }

  private static String subject(LimitTree tree, String... keysAndValues) {
    return limited(tree, descriptor(keysAndValues)).subject();
  }

  private static String metric(LimitTree tree, String... keysAndValues) {
    return limited(tree, descriptor(keysAndValues)).metric();
  }
}
