package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LimitTreeTest {
  @Test
  void an_exact_pair_goes_before_the_key_alone() {
    var tree = new LimitTree.Builder();
    tree.limit("d", path("user", "*"), terms(5));
    tree.limit("d", path("user", "root"), terms(50));
    assertThat(requests(tree.build(), "d", "user", "root")).isEqualTo(50);
    assertThat(requests(tree.build(), "d", "user", "alice")).isEqualTo(5);
  }

  @Test
  void there_is_no_way_back_from_a_branch() {
    var tree = new LimitTree.Builder();
    tree.limit("d", path("user", "*", "path", "/a"), terms(5));
    tree.limit("d", path("user", "root"), terms(50));
    assertThat(match(tree.build(), "d", "user", "root", "path", "/a"))
        .isEqualTo(Match.Unknown.DESCRIPTOR);
  }

  @Test
  void a_limit_holds_where_the_descriptor_ends() {
    var tree = new LimitTree.Builder();
    tree.limit("d", path("a", "1", "b", "2"), terms(5));
    assertThat(match(tree.build(), "d", "a", "1")).isEqualTo(Match.Unlimited.UNLIMITED);
    assertThat(requests(tree.build(), "d", "a", "1", "b", "2")).isEqualTo(5);
    assertThat(match(tree.build(), "d", "a", "1", "b", "2", "c", "3"))
        .isEqualTo(Match.Unknown.DESCRIPTOR);
  }

  @Test
  void what_is_not_there_is_unknown() {
    var tree = new LimitTree.Builder();
    tree.limit("d", path("a", "1"), terms(5));
    assertThat(match(tree.build(), "e", "a", "1")).isEqualTo(Match.Unknown.DOMAIN);
    assertThat(match(tree.build(), "d", "a", "2")).isEqualTo(Match.Unknown.DESCRIPTOR);
    assertThat(match(tree.build(), "d", "b", "1")).isEqualTo(Match.Unknown.DESCRIPTOR);
    assertThat(match(LimitTree.EMPTY, "d", "a", "1")).isEqualTo(Match.Unknown.DOMAIN);
  }

  @Test
  void everything_below_a_refused_branch_is_refused() {
    var tree = new LimitTree.Builder();
    tree.refuse("d", path("route", "r"), "shop/limits");
    assertThat(match(tree.build(), "d", "route", "r")).isEqualTo(new Match.Refused("shop/limits"));
    assertThat(match(tree.build(), "d", "route", "r", "x", "y"))
        .isEqualTo(new Match.Refused("shop/limits"));
    assertThat(match(tree.build(), "d", "route", "s")).isEqualTo(Match.Unknown.DESCRIPTOR);
  }

  @Test
  void the_first_of_two_limits_of_one_path_stays() {
    var tree = new LimitTree.Builder();
    assertThat(tree.limit("d", path("a", "1"), terms(5))).isTrue();
    assertThat(tree.limit("d", path("a", "1"), terms(6))).isFalse();
    assertThat(requests(tree.build(), "d", "a", "1")).isEqualTo(5);
  }

  @Test
  void a_limits_identity_is_its_place_and_algorithm_but_not_its_value() {
    var id = Limit.of("d", path("a", "1"), terms(5)).id();
    assertThat(id).hasSize(16).matches("[A-Za-z0-9_-]+");
    assertThat(Limit.of("d", path("a", "1"), terms(500)).id()).isEqualTo(id);
    assertThat(Limit.of(
                "d",
                path("a", "1"),
                Limit.Terms.builder(5, Window.of(Unit.HOUR), "x/y")
                    .name("named")
                    .shadow(true)
                    .build())
            .id())
        .isEqualTo(id);
    assertThat(List.of(
            Limit.of("e", path("a", "1"), terms(5)).id(),
            Limit.of("d", path("a", "2"), terms(5)).id(),
            Limit.of("d", path("a", "*"), terms(5)).id(),
            Limit.of("d", List.of(new Step("a", "*")), terms(5)).id(),
            Limit.of("d", path("b", "1"), terms(5)).id(),
            Limit.of("d", path("a", "1", "a", "1"), terms(5)).id(),
            Limit.of("d1:a1:1", List.of(), terms(5)).id(),
            Limit.of(
                    "d",
                    path("a", "1"),
                    Limit.Terms.builder(5, Window.of(Unit.MINUTE), "")
                        .algorithm(Algorithm.SLIDING_WINDOW, 1)
                        .build())
                .id()))
        .doesNotHaveDuplicates()
        .doesNotContain(id);
  }

  @Test
  void what_counts_by_itself_is_the_subject() {
    var tree = new LimitTree.Builder();
    tree.limit("d", path("route", "r", "user", "*"), terms(5));
    tree.limit("d", path("route", "r", "user", "*", "tier", "gold", "app", "*"), terms(5));
    assertThat(subject(tree.build(), "d", "route", "r", "user", "alice")).isEqualTo("alice");
    assertThat(
            subject(tree.build(), "d", "route", "r", "user", "alice", "tier", "gold", "app", "web"))
        .isEqualTo("5:aliceweb");
  }

  @Test
  void two_different_lists_of_values_never_make_one_subject() {
    var random = new Random(5);
    var alphabet =
        List.of("", "1", ":", "0", "#", "a", "2:", "#a", "x".repeat(130), "x".repeat(131));
    for (int values = 1; values <= 3; values++) {
      var seen = new HashMap<String, List<String>>();
      for (int i = 0; i < 5000; i++) {
        var list = new ArrayList<String>();
        String subject = null;
        for (int v = 0; v < values; v++) {
          var value = alphabet.get(random.nextInt(alphabet.size()))
              + alphabet.get(random.nextInt(alphabet.size()));
          list.add(value);
          subject = Subject.with(subject, value);
        }
        var twin = seen.put(subject, list);
        assertThat(twin == null || twin.equals(list))
            .as("%s and %s are %s", twin, list, subject)
            .isTrue();
      }
    }
  }

  @Test
  void a_long_value_is_hashed_and_none_can_pretend_to_be_its_hash() {
    var hashed = Subject.with(null, "x".repeat(100_000));
    assertThat(hashed).hasSize(44).startsWith("#");
    assertThat(Subject.with(null, hashed)).isNotEqualTo(hashed);
  }

  @Test
  void more_requests_than_the_protocol_can_say_are_refused() {
    assertThatThrownBy(() -> terms(4_294_967_296L))
        .hasMessageContaining("expected: 0 to 4294967295");
    assertThatThrownBy(() -> terms(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  private static Limit.Terms terms(long requests) {
    return Limit.Terms.of(requests, Unit.MINUTE, "");
  }

  /** Keys and values in turn; {@code *} is any value. */
  private static List<Step> path(String... keysAndValues) {
    var path = new ArrayList<Step>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      path.add(new Step(
          keysAndValues[i], keysAndValues[i + 1].equals("*") ? null : keysAndValues[i + 1]));
    }
    return path;
  }

  private static Match match(LimitTree tree, String domain, String... keysAndValues) {
    var descriptor = RateLimitDescriptor.newBuilder();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      descriptor.addEntries(RateLimitDescriptor.Entry.newBuilder()
          .setKey(keysAndValues[i])
          .setValue(keysAndValues[i + 1]));
    }
    return tree.match(domain, descriptor.build());
  }

  private static long requests(LimitTree tree, String domain, String... keysAndValues) {
    return ((Match.Limited) match(tree, domain, keysAndValues)).limit().requests();
  }

  private static String subject(LimitTree tree, String domain, String... keysAndValues) {
    return ((Match.Limited) match(tree, domain, keysAndValues)).subject();
  }
}
