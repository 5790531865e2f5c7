package dev.gatehouse.ratelimit.stats;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.stats.LimitStats.Stat;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The meaning of the six counters, as envoyproxy/ratelimit gives it to them. */
final class LimitStatsTest {
  private final LimitStats limit = new LimitStats("shop.user", 0.8f);

  @Test
  void hits_far_below_the_limit_are_within_it() {
    limit.counted(5, 1, 10, false);
    assertThat(counters()).isEqualTo("total 1, within 1");
  }

  @Test
  void hits_above_the_ratio_are_near_too() {
    limit.counted(9, 1, 10, false);
    assertThat(counters()).isEqualTo("total 1, near 1, within 1");
  }

  @Test
  void of_hits_that_cross_the_ratio_only_those_above_are_near() {
    limit.counted(10, 6, 10, false);
    assertThat(counters()).isEqualTo("total 6, near 2, within 6");
  }

  @Test
  void of_hits_that_cross_the_limit_some_are_near_and_some_over() {
    limit.counted(13, 6, 10, false);
    assertThat(counters()).isEqualTo("total 6, over 3, near 2");
  }

  @Test
  void hits_that_cross_the_limit_from_above_the_ratio_are_near_up_to_the_limit() {
    limit.counted(12, 3, 10, false);
    assertThat(counters()).isEqualTo("total 3, over 2, near 1");
  }

  @Test
  void hits_above_the_limit_are_over_it_as_a_whole() {
    limit.counted(16, 6, 10, false);
    assertThat(counters()).isEqualTo("total 6, over 6");
  }

  @Test
  void what_a_limit_in_shadow_mode_would_have_denied_is_counted_apart() {
    limit.counted(13, 6, 10, true);
    assertThat(counters()).isEqualTo("total 6, over 3, near 2, shadow 3");
  }

  @Test
  void what_the_local_cache_denied_is_over_the_limit_and_counted_apart() {
    limit.overWithLocalCache(4, false);
    assertThat(counters()).isEqualTo("total 4, over 4, cached 4");
  }

  @Test
  void a_look_counts_nothing() {
    limit.counted(10, 0, 10, false);
    limit.counted(11, 0, 10, true);
    assertThat(counters()).isEmpty();
  }

  @Test
  void every_hit_is_either_within_or_over_or_in_the_request_that_crossed() {
    var random = new Random(5);
    for (int run = 0; run < 1000; run++) {
      var each = new LimitStats("k", 0.8f);
      long count = 0;
      long allowed = random.nextInt(50);
      for (int i = 0; i < 30; i++) {
        long addend = random.nextInt(8);
        count += addend;
        each.counted(count, addend, allowed, false);
      }
      assertThat(each.counter(Stat.TOTAL_HITS).value()).isEqualTo(count);
      assertThat(each.counter(Stat.OVER_LIMIT).value()).isEqualTo(Math.max(0, count - allowed));
      assertThat(each.counter(Stat.NEAR_LIMIT).value())
          .isEqualTo(Math.max(0, Math.min(count, allowed) - (long) (allowed * 0.8f)));
    }
  }

  private String counters() {
    var names = new String[] {"total", "over", "near", "cached", "within", "shadow"};
    return Arrays.stream(Stat.ALL)
        .filter(stat -> limit.counter(stat).value() != 0)
        .map(stat -> names[stat.ordinal()] + " " + limit.counter(stat).value())
        .collect(Collectors.joining(", "));
  }
}
