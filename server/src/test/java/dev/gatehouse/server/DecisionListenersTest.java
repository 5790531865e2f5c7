package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecisionListenersTest {
  private static final Decision DECISION =
      new Decision("a", "id", "GET", "/", "", "", Decision.Outcome.ALLOWED, "ok", "", 1);

  @Test
  void all_hear_of_a_decision_even_if_one_of_them_throws() {
    var first = new ArrayList<Decision>();
    var last = new ArrayList<Decision>();
    var all = DecisionListeners.of(List.of(
        first::add,
        decision -> {
          throw new IllegalStateException("broken");
        },
        last::add));
    all.ready();
    all.decided(DECISION);
    assertThat(first).containsExactly(DECISION);
    assertThat(last).containsExactly(DECISION);
  }

  @Test
  void nobody_hears_of_what_was_decided_before_ready() {
    var heard = new ArrayList<Decision>();
    var all = DecisionListeners.of(List.of(heard::add));
    all.decided(DECISION);
    assertThat(heard).isEmpty();
  }

  @Test
  void without_listeners_services_need_not_make_decisions() {
    assertThat(DecisionListeners.of(List.of()).listens()).isFalse();
    assertThat(DecisionListeners.of(List.of(DecisionListener.NONE)).listens()).isFalse();
    assertThat(DecisionListeners.of(List.of(decision -> {})).listens()).isTrue();
  }
}
