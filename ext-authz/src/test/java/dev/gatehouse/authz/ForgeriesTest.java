package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ForgeriesTest {
  private final AtomicLong clock = new AtomicLong(-1);
  private final Forgeries forgeries = new Forgeries(clock::get);

  @Test
  void good_signatures_never_use_up_a_loops_share() {
    for (int i = 0; i < 10_000; i++) {
      assertThat(forgeries.mayCheck()).isTrue();
    }
  }

  @Test
  void after_a_burst_of_forged_ones_the_loop_checks_none() {
    for (int i = 0; i < Forgeries.AT_ONCE; i++) {
      assertThat(forgeries.mayCheck()).isTrue();
      forgeries.found();
    }

    assertThat(forgeries.mayCheck()).isFalse();
  }

  @Test
  void a_flood_costs_a_loop_a_hundred_checks_a_second() {
    int checked = 0;
    for (int millis = 0; millis < 10_000; millis++) {
      clock.addAndGet(Duration.ofMillis(1).toNanos());
      for (int i = 0; i < 20; i++) {
        if (forgeries.mayCheck()) {
          checked++;
          forgeries.found();
        }
      }
    }

    assertThat(checked)
        .isBetween(10 * Forgeries.A_SECOND - 1, 10 * Forgeries.A_SECOND + Forgeries.AT_ONCE);
  }

  @Test
  void a_quiet_time_gives_back_no_more_than_the_burst() {
    for (int i = 0; i < 2 * Forgeries.AT_ONCE; i++) {
      forgeries.found();
    }
    clock.addAndGet(Duration.ofHours(1).toNanos());

    int checked = 0;
    for (; forgeries.mayCheck(); checked++) {
      forgeries.found();
    }
    assertThat(checked).isEqualTo(Forgeries.AT_ONCE);
  }

  @Test
  void who_is_on_no_loop_makes_nobody_wait() {
    assertThat(Forgeries.ofThisLoop()).isNull();
  }
}
