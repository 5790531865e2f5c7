package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.config.xds.XdsSettings.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class PausesTest {
  private static final Duration SHORT = Duration.ofMillis(5);

  private static Retry retry(boolean jitter) {
    return new Retry(Duration.ofSeconds(10), Duration.ofSeconds(60), 0.5, jitter);
  }

  private static List<Long> afterStreams(Pauses pauses, int count) {
    var waits = new ArrayList<Long>();
    for (int i = 0; i < count; i++) {
      waits.add(pauses.afterStream(SHORT).toSeconds());
    }
    return waits;
  }

  /** Always the middle of what jitter allows. */
  private static final RandomGenerator MIDDLE = () -> Long.MIN_VALUE;

  @Test
  void the_waits_after_streams_double_up_to_the_longest() {
    var pauses = new Pauses(Duration.ofSeconds(3), retry(false), new Random(1));

    assertThat(afterStreams(pauses, 6)).containsExactly(10L, 20L, 40L, 60L, 60L, 60L);
  }

  @Test
  void a_stream_that_held_begins_anew() {
    var pauses = new Pauses(Duration.ofSeconds(3), retry(false), new Random(1));
    afterStreams(pauses, 4);

    assertThat(pauses.afterStream(Duration.ofSeconds(61))).isEqualTo(Duration.ofSeconds(10));
    assertThat(pauses.afterStream(SHORT)).isEqualTo(Duration.ofSeconds(20));
  }

  @Test
  void the_random_factor_spreads_the_waits_on_both_sides() {
    var pauses = new Pauses(Duration.ofSeconds(3), retry(true), new Random(1));
    var waits = new ArrayList<Duration>();
    for (int i = 0; i < 1000; i++) {
      waits.add(pauses.afterStream(Duration.ofMinutes(2)));
    }

    assertThat(waits)
        .allMatch(w -> w.toMillis() >= 5_000 && w.toMillis() <= 15_000)
        .anyMatch(w -> w.toMillis() < 6_000)
        .anyMatch(w -> w.toMillis() > 14_000);
  }

  @Test
  void while_nobody_is_there_the_wait_stays_the_same_but_for_the_jitter() {
    assertThat(new Pauses(Duration.ofSeconds(3), retry(true), MIDDLE).unreachable())
        .isEqualTo(Duration.ofSeconds(3));

    var pauses = new Pauses(Duration.ofSeconds(3), retry(true), new Random(1));
    for (int i = 0; i < 1000; i++) {
      assertThat(pauses.unreachable().toMillis()).isBetween(1_500L, 4_500L);
    }
  }

  @Test
  void a_bad_setting_is_named() {
    assertThatThrownBy(() -> new Retry(Duration.ZERO, Duration.ofSeconds(1), 0.5, true))
        .hasMessage("XDS_CLIENT_BACKOFF_INITIAL_INTERVAL: PT0S (expected: more than 0)");
    assertThatThrownBy(() -> new Retry(SHORT, SHORT, 1.5, true))
        .hasMessage("XDS_CLIENT_BACKOFF_RANDOM_FACTOR: 1.5 (expected: 0 to 1)");
    assertThatThrownBy(() -> new Retry(SHORT, SHORT, Double.NaN, true))
        .hasMessage("XDS_CLIENT_BACKOFF_RANDOM_FACTOR: NaN (expected: 0 to 1)");
  }
}
