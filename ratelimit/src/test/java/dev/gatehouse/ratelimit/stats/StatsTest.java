package dev.gatehouse.ratelimit.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which keys have counters, and for how long. */
final class StatsTest {
  private final Stats stats = new Stats(3, 0.8f);

  @Test
  void the_statistics_have_the_names_of_the_reference() {
    stats.limit("shop.user_ada.path").counted(1, 1, 10, false);
    stats.domainNotFound("nowhere");
    stats.redisError();
    stats.configLoaded(true);
    assertThat(stats.text().lines())
        .contains(
            "ratelimit.service.rate_limit.shop.user_ada.path.total_hits: 1",
            "ratelimit.service.rate_limit.shop.user_ada.path.within_limit: 1",
            "ratelimit.service.rate_limit.shop.user_ada.path.over_limit_with_local_cache: 0",
            "ratelimit.service.rate_limit.nowhere.domain_not_found: 1",
            "ratelimit.service.call.should_rate_limit.redis_error: 1",
            "ratelimit.service.call.should_rate_limit.service_error: 0",
            "ratelimit.service.config_load_success: 1",
            "ratelimit.service.config_load_error: 0",
            "ratelimit.service.global_shadow_mode: 0");
  }

  @Test
  void what_statsd_cannot_have_in_a_name_is_replaced() {
    assertThat(Stats.sanitised("shop.remote_address_10.0.0.1.a:b|c"))
        .isEqualTo("shop.remote_address_10_0_0_1.a_b_c");
  }

  @Test
  void a_million_values_of_requests_are_three_keys_and_the_rest() {
    for (int i = 0; i < 1_000_000; i++) {
      stats.limit("shop.user_" + i).over(1, false);
    }
    assertThat(keys())
        .containsExactlyInAnyOrder("shop.user_0", "shop.user_1", "shop.user_2", Stats.OTHER);
    assertThat(stats.text())
        .contains("ratelimit.service.rate_limit.other.other.over_limit: 999997\n");
  }

  @Test
  void a_million_unknown_domains_are_bounded_too() {
    for (int i = 0; i < 100_000; i++) {
      stats.domainNotFound("nowhere-" + i);
    }
    var lines =
        stats.text().lines().filter(line -> line.contains("domain_not_found")).toList();
    assertThat(lines)
        .hasSize(4)
        .contains("ratelimit.service.rate_limit.other.domain_not_found: 99997");
  }

  @Test
  void what_a_request_makes_too_long_is_with_the_rest() {
    var longest = "shop." + "x".repeat(Stats.MAX_LENGTH - 5);
    stats.limit(longest).over(1, false);
    stats.limit(longest + "x").over(2, false);
    stats.domainNotFound("y".repeat(Stats.MAX_LENGTH));
    stats.domainNotFound("y".repeat(Stats.MAX_LENGTH + 1));
    assertThat(keys()).containsExactlyInAnyOrder(longest, Stats.OTHER);
    assertThat(stats.text().lines().filter(line -> line.contains("domain_not_found")))
        .containsExactlyInAnyOrder(
            "ratelimit.service.rate_limit." + "y".repeat(512) + ".domain_not_found: 1",
            "ratelimit.service.rate_limit.other.domain_not_found: 1");
  }

  @Test
  void a_limit_in_force_may_have_a_longer_key() {
    var key = "shop." + "x".repeat(2 * Stats.MAX_LENGTH);
    stats.inForce(List.of(key));
    stats.limit(key).over(1, false);
    assertThat(keys()).containsExactly(key);
  }

  @Test
  void the_values_of_requests_take_no_room_from_the_limits_in_force() {
    IntStream.range(0, 10).forEach(i -> stats.limit("shop.user_" + i).over(1, false));
    stats.inForce(List.of("shop.a", "shop.b", "shop.c"));
    stats.limit("shop.c").over(1, false);
    assertThat(stats.text()).contains("rate_limit.shop.c.total_hits: 1\n");
  }

  @Test
  void a_limit_that_stays_keeps_its_counters_and_one_that_goes_takes_them_along() {
    stats.inForce(List.of("shop.stays", "shop.goes"));
    stats.limit("shop.stays").over(2, false);
    stats.limit("shop.goes").over(2, false);
    stats.inForce(List.of("shop.stays", "shop.comes"));
    assertThat(keys()).containsExactlyInAnyOrder("shop.stays", "shop.comes");
    assertThat(stats.text()).contains("rate_limit.shop.stays.total_hits: 2\n");
  }

  @Test
  void a_limit_that_was_hit_before_it_was_told_of_keeps_what_was_counted() {
    stats.limit("shop.new").over(2, false);
    stats.inForce(List.of("shop.new"));
    stats.limit("shop.new").over(1, false);
    assertThat(keys()).containsExactly("shop.new");
    assertThat(stats.text()).contains("rate_limit.shop.new.total_hits: 3\n");
  }

  @Test
  void a_key_of_requests_that_nobody_hits_makes_room() {
    IntStream.range(0, 3).forEach(i -> stats.limit("shop.user_" + i).over(1, false));
    stats.forgetIdle(2); // sees the hits
    stats.forgetIdle(2);
    stats.limit("shop.user_1").over(1, false);
    stats.forgetIdle(2);
    assertThat(keys()).containsExactly("shop.user_1");
    stats.limit("shop.new").over(1, false);
    assertThat(keys()).containsExactlyInAnyOrder("shop.user_1", "shop.new");
  }

  private List<String> keys() {
    var keys = new ArrayList<String>();
    stats.eachLimit(limit -> keys.add(limit.key()));
    return keys;
  }
}
