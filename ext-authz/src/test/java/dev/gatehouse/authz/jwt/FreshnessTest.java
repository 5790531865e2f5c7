package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FreshnessTest {
  private static final String DATE = "Thu, 01 Jan 2026 00:00:00 GMT";

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
          max-age=60                      | 60
          public, Max-Age=60, immutable   | 60
          max-age="60"                    | 60
          no-store                        | 0
          max-age=60, no-cache            | 0
          no-cache="set-cookie", max-age=9| 0
          max-age=60, max-age=30          | 30
          max-age=-1                      | 0
          max-age=soon                    | 0
          max-age=99999999999999999999    | 31536000
          s-maxage=60, max-age=20         | 20
          """)
  void cache_control_says_how_long(String said, long seconds) {
    assertThat(of(Map.of("cache-control", said))).isEqualTo(Duration.ofSeconds(seconds));
  }

  @Test
  void an_answer_that_says_nothing_leaves_it_to_us() {
    assertThat(of(Map.of())).isNull();
    assertThat(of(Map.of("cache-control", "public"))).isNull();
  }

  @Test
  void what_was_spent_in_caches_on_the_way_is_taken_off() {
    assertThat(of(Map.of("cache-control", "max-age=60", "age", "45")))
        .isEqualTo(Duration.ofSeconds(15));
    assertThat(of(Map.of("cache-control", "max-age=60", "age", "90"))).isEqualTo(Duration.ZERO);
  }

  @Test
  void expires_counts_where_there_is_no_max_age() {
    var later = "Thu, 01 Jan 2026 00:02:00 GMT";
    assertThat(of(Map.of("date", DATE, "expires", later))).isEqualTo(Duration.ofMinutes(2));
    assertThat(of(Map.of("date", later, "expires", DATE))).isEqualTo(Duration.ZERO);
    assertThat(of(Map.of("date", DATE, "expires", "0"))).isEqualTo(Duration.ZERO);
    assertThat(of(Map.of("expires", later))).isEqualTo(Duration.ZERO);
    assertThat(of(Map.of("date", DATE, "expires", later, "cache-control", "max-age=7")))
        .isEqualTo(Duration.ofSeconds(7));
  }

  @Test
  void a_lifetime_stays_within_half_a_minute_and_what_the_policy_says() {
    var lifetime = new Lifetime(Duration.ofMinutes(5));
    assertThat(lifetime.of(null)).isEqualTo(Duration.ofMinutes(5));
    assertThat(lifetime.of(Duration.ZERO)).isEqualTo(Duration.ofSeconds(30));
    assertThat(lifetime.of(Duration.ofMinutes(2))).isEqualTo(Duration.ofMinutes(2));
    assertThat(lifetime.of(Duration.ofDays(1))).isEqualTo(Duration.ofMinutes(5));
    assertThat(new Lifetime(Duration.ofSeconds(10)).of(Duration.ZERO))
        .isEqualTo(Duration.ofSeconds(10));
  }

  private static @Nullable Duration of(Map<String, String> headers) {
    var lists = new java.util.HashMap<String, List<String>>();
    headers.forEach((name, value) -> lists.put(name, List.of(value)));
    return Freshness.of(HttpHeaders.of(lists, (_, _) -> true));
  }
}
