package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import io.lettuce.core.cluster.SlotHash;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The layout that docs/ratelimit-compatibility.md describes. */
final class KeysTest {
  private static final long NOW = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

  private final Keys keys = new Keys("rl:");

  @Test
  void a_key_is_the_prefix_the_limit_and_its_subject_in_braces_and_the_window() {
    var limit = limit(Algorithm.FIXED_WINDOW, Window.of(Unit.MINUTE));
    assertThat(limit.id()).hasSize(16);
    assertThat(key(limit, "alice")).isEqualTo("rl:{" + limit.id() + ":alice}m29453760");
    assertThat(key(limit, "")).isEqualTo("rl:{" + limit.id() + "}m29453760");
    assertThat(key(limit, "ä{€}😀")).isEqualTo("rl:{" + limit.id() + ":ä{€}😀}m29453760");
    var fiveHours = limit(Algorithm.FIXED_WINDOW, Window.of(Unit.HOUR, 5));
    assertThat(key(fiveHours, "")).isEqualTo("rl:{" + fiveHours.id() + "}h5.98179");
    var months = limit(Algorithm.FIXED_WINDOW, Window.of(Unit.MONTH).calendarMonths());
    assertThat(key(months, "")).isEqualTo("rl:{" + months.id() + "}C24312");
  }

  @Test
  void a_sliding_window_has_the_last_ones_key_too_and_a_bucket_has_no_window() {
    var sliding = limit(Algorithm.SLIDING_WINDOW, Window.of(Unit.MINUTE));
    assertThat(text(keys.ofLast(hit(sliding, "alice", 1), NOW)))
        .isEqualTo("rl:{" + sliding.id() + ":alice}m29453759");
    var bucket = limit(Algorithm.TOKEN_BUCKET, Window.of(Unit.MINUTE));
    assertThat(key(bucket, "alice")).isEqualTo("rl:{" + bucket.id() + ":alice}m");
  }

  @Test
  void all_keys_of_a_limit_and_subject_share_a_slot_whatever_the_subject_holds() {
    var sliding = limit(Algorithm.SLIDING_WINDOW, Window.of(Unit.SECOND));
    for (var subject : List.of("", "alice", "}", "{}", "a}b{c", "{", "::")) {
      var hit = hit(sliding, subject, 1);
      assertThat(SlotHash.getSlot(keys.of(hit, NOW)))
          .as(subject)
          .isEqualTo(SlotHash.getSlot(keys.ofLast(hit, NOW)))
          .isEqualTo(SlotHash.getSlot(keys.of(hit, NOW + 86_400_000)));
    }
  }

  @Test
  void no_two_counters_share_a_key() {
    var seen = new HashMap<String, String>();
    for (var algorithm : Algorithm.values()) {
      for (var unit : Unit.values()) {
        for (int every : List.of(1, 2, 12)) {
          var limit = limit(algorithm, Window.of(unit, every));
          for (var subject : List.of(
              "", ":", "}", "}m", "}m29453760", "}h5.98179", "a", "a}m29453760", "a:", ":a")) {
            for (long at : new long[] {NOW, NOW + 400 * Unit.YEAR.millis() / 365}) {
              var number =
                  algorithm == Algorithm.TOKEN_BUCKET ? 0 : limit.window().number(at);
              var counter = algorithm + " " + unit + " " + every + " " + subject + " " + number;
              var other = seen.put(text(keys.of(hit(limit, subject, 1), at)), counter);
              assertThat(other).isIn(null, counter);
            }
          }
        }
      }
    }
  }

  @Test
  void long_keys_are_written_too() {
    var limit = limit(Algorithm.FIXED_WINDOW, Window.of(Unit.YEAR));
    var subject = "x".repeat(10_000);
    assertThat(key(limit, subject)).isEqualTo("rl:{" + limit.id() + ":" + subject + "}y56");
  }

  @Test
  void a_prefix_with_braces_is_refused_and_why() {
    for (var prefix : List.of("{rl}:", "a}", "{")) {
      assertThatThrownBy(() -> RedisUrl.parse("localhost").with(Duration.ofMillis(10), prefix))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"" + prefix + "\"")
          .hasMessageContaining("no braces");
    }
  }

  private String key(Limit limit, String subject) {
    return text(keys.of(new Hit(0, limit, subject, 1), NOW));
  }

  private static String text(byte[] key) {
    return new String(key, StandardCharsets.UTF_8);
  }

  private static Limit limit(Algorithm algorithm, Window window) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("key", "value")),
        Limit.Terms.builder(5, window, "o").algorithm(algorithm, 5).build());
    return tree.build().limits().getFirst();
  }
}
