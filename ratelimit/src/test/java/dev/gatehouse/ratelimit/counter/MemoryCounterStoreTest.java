package dev.gatehouse.ratelimit.counter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.AbstractList;
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

  /** A window of a second with 100,000 callers of its own, twenty times, and as many buckets beside. */
  @Test
  void millions_of_callers_leave_the_heap_as_it_was_when_their_windows_have_passed() {
    var store = new MemoryCounterStore(clock, 250_000);
    var window = limit("w", Unit.SECOND);
    var bucket = limit(5, Unit.SECOND, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 5));
    long before = 0;
    for (int second = 0; second < 20; second++) {
      for (int i = 0; i < 50_000; i++) {
        var caller = "caller-" + (second * 50_000 + i);
        store.apply(List.of(hit(window, caller, 1)), store.now(), NOBODY);
        store.apply(List.of(hit(bucket, caller, 1)), store.now(), NOBODY);
      }
      assertThat(store.counters()).isLessThanOrEqualTo(250_000);
      clock.advance(Duration.ofSeconds(1));
      if (second == 4) {
        before = heap();
      }
    }
    assertThat(store.evictions()).isZero();
    assertThat(heap() - before).isLessThan(20_000_000);
  }

  private static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  void a_flood_of_callers_within_one_window_stays_within_the_bound() {
    var store = new MemoryCounterStore(clock, 10_000);
    var limit = limit("flood", Unit.DAY);
    for (int i = 0; i < 100_000; i++) {
      store.apply(List.of(hit(limit, "caller-" + i, 1)), store.now(), NOBODY);
      assertThat(store.counters()).isLessThanOrEqualTo(10_000);
    }
    assertThat(store.evictions()).isEqualTo(90_000);
  }

  @Test
  void how_many_counters_there_are_and_had_to_go_is_told() {
    var metrics = new PrometheusRegistry();
    var store = new MemoryCounterStore(clock, 2);
    store.register(metrics);
    for (var subject : List.of("a", "b", "c")) {
      count(store, subject, Unit.DAY);
    }
    assertThat(metric(metrics, "gatehouse_ratelimit_memory_counters")).isEqualTo(2);
    assertThat(metric(metrics, "gatehouse_ratelimit_memory_counters_evicted")).isEqualTo(1);
  }

  private static double metric(PrometheusRegistry metrics, String name) {
    var snapshot = metrics.scrape(name::equals).stream().findFirst().orElseThrow();
    return switch (snapshot) {
      case GaugeSnapshot gauge -> gauge.getDataPoints().getFirst().getValue();
      case CounterSnapshot counter -> counter.getDataPoints().getFirst().getValue();
      default -> throw new AssertionError(snapshot);
    };
  }

  private static final CounterStore.Outcome NOBODY = into(new AbstractList<>() {
    @Override
    public boolean add(String answer) {
      return true;
    }

    @Override
    public String get(int index) {
      throw new IndexOutOfBoundsException(index);
    }

    @Override
    public int size() {
      return 0;
    }
  });

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
