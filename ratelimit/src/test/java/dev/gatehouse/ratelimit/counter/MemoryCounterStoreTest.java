package dev.gatehouse.ratelimit.counter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MemoryCounterStoreTest extends CounterStoreContract {
  @Override
  protected CounterStore store(FakeClock clock, EventLoops loops) {
    return new MemoryCounterStore(clock, 100_000);
  }

  @Override
  protected boolean hasClockOfItsOwn() {
    return false;
  }

  @Test
  void a_full_store_lets_go_of_the_oldest_counter_of_the_window_that_has_most() {
    var small = new MemoryCounterStore(clock, 4);
    count(small, "yearly", Unit.YEAR);
    for (var subject : List.of("a", "b", "c")) {
      assertThat(count(small, subject, Unit.MINUTE)).isEqualTo("1");
    }
    assertThat(count(small, "d", Unit.MINUTE)).isEqualTo("1");
    assertThat(small.counters()).isEqualTo(4);
    assertThat(small.evictions()).isEqualTo(1);
    assertThat(count(small, "yearly", Unit.YEAR)).isEqualTo("2");
    assertThat(count(small, "b", Unit.MINUTE)).isEqualTo("2");
    assertThat(count(small, "a", Unit.MINUTE)).as("the oldest began anew").isEqualTo("1");
  }

  @Test
  void a_full_store_lets_go_of_ended_windows_first() {
    var small = new MemoryCounterStore(clock, 3);
    for (var subject : List.of("a", "b")) {
      count(small, subject, Unit.SECOND);
    }
    count(small, "c", Unit.YEAR);
    clock.advance(Duration.ofSeconds(1));
    assertThat(count(small, "d", Unit.YEAR)).isEqualTo("1");
    assertThat(count(small, "c", Unit.YEAR)).isEqualTo("2");
    assertThat(small.counters()).isEqualTo(2);
    assertThat(small.evictions()).isZero();
  }

  @Test
  void a_clock_that_is_set_back_far_does_not_count_in_the_future_for_ever() {
    var store = new MemoryCounterStore(clock, 10);
    count(store, "a", Unit.SECOND);
    clock.advance(Duration.ofHours(-1));
    assertThat(count(store, "a", Unit.SECOND)).isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void two_limits_are_consumed_together_or_not_at_all_whatever_the_threads_do(long seed) {
    var store = new MemoryCounterStore(clock, 100_000);
    for (var algorithm : Algorithm.values()) {
      var exactness = new Exactness(List.of(store), seed, clock.millis());
      exactness.twoLimitsAreConsumedTogetherOrNotAtAll(algorithm);
      exactness.whatIsGivenBackIsNeitherLostNorDoubled();
      exactness.aBucketGivesItsBurstAndWhatComesBack();
    }
  }

  @Test
  void looking_makes_no_counter() {
    var store = new MemoryCounterStore(clock, 10);
    store.apply(List.of(hit(limit("a", Unit.DAY), "x", 0)), store.now(), into(new ArrayList<>()));
    assertThat(store.counters()).isZero();
  }

  private static String count(CounterStore store, String subject, Unit unit) {
    var answers = new ArrayList<String>();
    store.apply(List.of(hit(limit("l", unit), subject, 1)), store.now(), into(answers));
    return answers.getFirst();
  }

  private static CounterStore.Outcome into(List<String> answers) {
    return new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        answers.add("" + counts.used(0));
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        answers.add(reason.name());
      }
    };
  }
}
