package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class BreakerTest {
  private final Breaker breaker = new Breaker();

  @Test
  void it_opens_once_when_so_many_in_a_row_were_not_answered_in_time() {
    for (int i = 1; i < Breaker.OPENS_AFTER; i++) {
      assertThat(breaker.timedOut()).isFalse();
    }
    assertThat(breaker.open()).isFalse();
    assertThat(breaker.timedOut()).isTrue();
    assertThat(breaker.open()).isTrue();
    assertThat(breaker.timedOut()).as("it is open already").isFalse();
  }

  @Test
  void one_answer_in_time_begins_the_row_anew() {
    for (int i = 1; i < Breaker.OPENS_AFTER; i++) {
      breaker.timedOut();
    }
    assertThat(breaker.calm()).isFalse();
    breaker.answered();
    assertThat(breaker.calm()).isTrue();
    assertThat(breaker.timedOut()).isFalse();
    assertThat(breaker.open()).isFalse();
  }

  @Test
  void an_old_commands_answer_does_not_close_it() {
    for (int i = 0; i < Breaker.OPENS_AFTER; i++) {
      breaker.timedOut();
    }
    breaker.answered();
    assertThat(breaker.open()).isTrue();
    breaker.close();
    assertThat(breaker.open()).isFalse();
    assertThat(breaker.calm()).isTrue();
  }
}
