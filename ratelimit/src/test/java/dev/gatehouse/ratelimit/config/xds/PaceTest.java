package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long SECOND = 1_000_000_000L;

  private final Pace pace = new Pace();

  private long[] waits(int count, long now) {
    return LongStream.range(0, count).map(i -> pace.next(now)).toArray();
  }

  @Test
  void some_come_at_once_and_then_one_a_second() {
    assertThat(waits(8, Long.MAX_VALUE - 1))
        .containsExactly(0, 0, 0, 0, 0, SECOND, 2 * SECOND, 3 * SECOND);
  }

  @Test
  void who_answers_only_when_asked_gets_one_a_second() {
    long now = -5;
    waits(5, now);
    for (int i = 0; i < 100; i++) {
      long wait = pace.next(now);
      assertThat(wait).isEqualTo(SECOND);
      now += wait;
    }
  }

  @Test
  void after_a_quiet_time_some_come_at_once_again() {
    waits(5, 0);

    assertThat(waits(6, 100 * SECOND)).containsExactly(0, 0, 0, 0, 0, SECOND);
  }
}
