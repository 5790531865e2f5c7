package dev.gatehouse.ratelimit.counter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link CounterStore} does. */
public abstract class CounterStoreContract {
  protected final FakeClock clock = new FakeClock();
  protected EventLoops loops;
  private CounterStore store;

  /** A store, ready, that no other test counts in. */
  protected abstract CounterStore store(FakeClock clock, EventLoops loops);

  /** Whether the store goes by a clock other than {@link #clock}. */
  protected abstract boolean hasClockOfItsOwn();

  @BeforeEach
  void start() {
    loops = EventLoops.start(2);
    store = store(clock, loops);
  }

  @AfterEach
  void stop() {
    store.close();
    loops.close();
  }

  @Test
  void each_hit_sees_the_count_with_itself_in_it() {
    var hit = hit(limit("a", Unit.HOUR), "", 1);
    assertThat(apply(0, hit)).containsExactly(1);
    assertThat(apply(0, hit)).containsExactly(2);
    assertThat(apply(0, hit)).containsExactly(3);
  }

  @Test
  void a_hit_counts_as_much_as_it_says() {
    var limit = limit("a", Unit.HOUR);
    assertThat(apply(0, hit(limit, "", 5))).containsExactly(5);
    assertThat(apply(0, hit(limit, "", 4_294_967_295L))).containsExactly(4_294_967_300L);
  }

  @Test
  void a_hit_of_nothing_only_looks() {
    var limit = limit("a", Unit.HOUR);
    assertThat(apply(0, hit(limit, "", 0))).containsExactly(0);
    assertThat(apply(0, hit(limit, "", 2))).containsExactly(2);
    assertThat(apply(0, hit(limit, "", 0))).containsExactly(2);
    assertThat(apply(0, hit(limit, "", 0))).containsExactly(2);
  }

  @Test
  void subjects_and_limits_count_apart() {
    var limit = limit("a", Unit.HOUR);
    assertThat(apply(0, hit(limit, "alice", 1))).containsExactly(1);
    assertThat(apply(0, hit(limit, "bob", 1))).containsExactly(1);
    assertThat(apply(0, hit(limit, "alice", 1))).containsExactly(2);
    assertThat(apply(0, hit(limit, "", 1))).containsExactly(1);
    assertThat(apply(0, hit(limit("b", Unit.HOUR), "alice", 1))).containsExactly(1);
    assertThat(apply(0, hit(limit("a", Unit.DAY), "alice", 1))).containsExactly(1);
  }

  @Test
  void subjects_may_hold_anything() {
    var limit = limit("a", Unit.HOUR);
    for (var subject : List.of("a b", "a\r\nb", "a:b", "{a}", "ä€😀", "\0")) {
      assertThat(apply(0, hit(limit, subject, 1))).as(subject).containsExactly(1);
    }
  }

  @Test
  void the_hits_of_one_request_are_counted_in_their_order() {
    var a = limit("a", Unit.HOUR);
    var b = limit("b", Unit.MINUTE);
    apply(0, hit(a, "", 7));
    assertThat(apply(0, hit(b, "", 1), hit(a, "", 1), hit(b, "", 1))).containsExactly(1, 8, 2);
  }

  @Test
  void hits_on_one_counter_see_each_other() {
    var limit = limit(10, Unit.HOUR, t -> t.countsDenied(false));
    assertThat(apply(0, hit(limit, "", 2), hit(limit, "", 3), hit(limit, "", -1)))
        .containsExactly(2, 5, 4);
    assertThat(apply(0, hit(limit, "", 0))).containsExactly(4);
  }

  @Test
  void two_limits_one_denied_consumes_neither() {
    var tight = limit(1, Unit.HOUR, t -> t.countsDenied(false));
    var wide = limit(5, Unit.DAY, t -> t.countsDenied(false));
    assertThat(counts(0, hit(tight, "", 1), hit(wide, "", 1)).denied()).isFalse();
    var over = counts(0, hit(wide, "", 1), hit(tight, "", 1));
    assertThat(over.denied()).isTrue();
    assertThat(used(over)).as("with the hit in it").containsExactly(2, 2);
    assertThat(apply(0, hit(tight, "", 0), hit(wide, "", 0))).containsExactly(1, 1);
  }

  @Test
  void a_request_that_asks_for_more_than_is_left_consumes_nothing() {
    var limit = limit(5, Unit.HOUR, t -> t.countsDenied(false));
    assertThat(counts(0, hit(limit, "", 3)).denied()).isFalse();
    assertThat(counts(0, hit(limit, "", 3)).denied()).isTrue();
    assertThat(counts(0, hit(limit, "", 2)).denied()).isFalse();
    assertThat(counts(0, hit(limit, "", 1)).denied()).isTrue();
  }

  @Test
  void of_a_denied_request_those_limits_count_that_count_denied_requests() {
    var denies = limit(0, Unit.HOUR, t -> t.countsDenied(false));
    var anyway = limit(5, Unit.HOUR, t -> t);
    var passedOnly = limit(5, Unit.HOUR, t -> t.countsDenied(false));
    var counts = counts(
        0,
        hit(anyway, "", 1),
        hit(denies, "", 1),
        hit(passedOnly, "", 1),
        hit(passedOnly, "x", -1));
    assertThat(counts.denied()).isTrue();
    assertThat(apply(0, hit(anyway, "", 0), hit(passedOnly, "", 0))).containsExactly(1, 0);
  }

  @ParameterizedTest
  @EnumSource
  void what_gives_back_is_counted_in_any_case_and_never_below_nothing(Algorithm algorithm) {
    var limit = limit(5, Unit.HOUR, t -> t.algorithm(algorithm, 5).countsDenied(false));
    var denies = limit(0, Unit.HOUR, t -> t);
    counts(0, hit(limit, "", 4));
    var denied = counts(0, hit(limit, "", -3), hit(denies, "", 1));
    assertThat(denied.denied()).isTrue();
    assertThat(denied.used(0)).isEqualTo(limit.units(1));
    assertThat(counts(0, hit(limit, "", 0)).used(0)).isEqualTo(limit.units(1));
    assertThat(counts(0, hit(limit, "", -3)).used(0)).isZero();
    assertThat(counts(0, hit(limit, "", 0)).used(0)).isZero();
    assertThat(counts(0, hit(limit, "", -3), hit(limit, "", 5)).denied()).isFalse();
    assertThat(counts(0, hit(limit, "", 1)).denied()).isTrue();
  }

  @Test
  void what_gives_back_does_not_deny_even_over_the_limit() {
    var limit = limit(2, Unit.HOUR, t -> t);
    counts(0, hit(limit, "", 9));
    assertThat(counts(0, hit(limit, "", -1)).denied()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void shadow_limits_count_and_never_deny(Algorithm algorithm) {
    var shadow =
        limit(1, Unit.HOUR, t -> t.algorithm(algorithm, 1).countsDenied(false).shadow(true));
    var other = limit(5, Unit.HOUR, t -> t.countsDenied(false));
    for (int i = 1; i <= 3; i++) {
      var counts = counts(0, hit(shadow, "", 1), hit(other, "", 1));
      assertThat(counts.denied()).isFalse();
      assertThat(counts.used(0) > shadow.capacity()).isEqualTo(i > 1);
      assertThat(counts.used(1)).isEqualTo(i);
    }
  }

  @Test
  void quotas_deny_together_and_are_not_consumed_then() {
    var first = limit(1, Unit.HOUR, t -> t.quota(true).countsDenied(false));
    var second = limit(2, Unit.DAY, t -> t.quota(true).countsDenied(false));
    assertThat(counts(0, hit(first, "", 1), hit(second, "", 1)).denied()).isFalse();
    assertThat(counts(0, hit(first, "", 1), hit(second, "", 1)).denied()).isFalse();
    assertThat(counts(0, hit(first, "", 1), hit(second, "", 1)).denied()).isTrue();
    assertThat(apply(0, hit(first, "", 0), hit(second, "", 0))).containsExactly(2, 2);
  }

  @Test
  void a_sliding_window_counts_the_last_one_by_the_part_that_it_still_covers() {
    var limit = limit(10, Unit.HOUR, t -> t.algorithm(Algorithm.SLIDING_WINDOW, 1));
    apply(0, hit(limit, "", 8));
    long hour = Unit.HOUR.millis();
    assertThat(apply(hour - 1, hit(limit, "", 0))).containsExactly(8);
    assertThat(apply(hour, hit(limit, "", 0))).as("all of it").containsExactly(8);
    assertThat(apply(hour + hour / 4, hit(limit, "", 0))).containsExactly(6);
    assertThat(apply(hour + hour / 2, hit(limit, "", 3))).containsExactly(4 + 3);
    assertThat(apply(hour + hour / 2 + 1, hit(limit, "", 0))).as("rounded up").containsExactly(7);
    assertThat(apply(hour + hour * 3 / 4, hit(limit, "", 0))).containsExactly(2 + 3);
    assertThat(apply(2 * hour - 1, hit(limit, "", 0))).containsExactly(1 + 3);
    assertThat(apply(2 * hour + hour / 2, hit(limit, "", 0))).containsExactly(2);
    assertThat(apply(3 * hour, hit(limit, "", 0))).containsExactly(0);
  }

  @Test
  void a_sliding_window_does_not_pass_twice_the_limit_around_an_edge() {
    var limit =
        limit(10, Unit.HOUR, t -> t.algorithm(Algorithm.SLIDING_WINDOW, 1).countsDenied(false));
    long edge = Unit.HOUR.millis();
    assertThat(passed(edge - 1, 20, limit)).isEqualTo(10);
    assertThat(passed(edge, 20, limit)).isZero();
    assertThat(passed(edge + edge / 2, 20, limit)).isEqualTo(5);
  }

  @Test
  void a_token_bucket_gives_its_burst_and_then_one_token_at_its_very_millisecond() {
    var limit =
        limit(6, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 4).countsDenied(false));
    long token = Unit.HOUR.millis() / 6;
    assertThat(passed(0, 9, limit)).isEqualTo(4);
    assertThat(passed(token - 1, 9, limit)).isZero();
    assertThat(passed(token, 9, limit)).isEqualTo(1);
    assertThat(passed(2 * token - 1, 9, limit)).isZero();
    assertThat(passed(4 * token + token / 2, 9, limit)).isEqualTo(3);
    assertThat(passed(5 * token, 9, limit)).as("the half was kept").isEqualTo(1);
    assertThat(passed(100 * token, 9, limit)).as("no more than the burst").isEqualTo(4);
  }

  @Test
  void a_token_bucket_loses_nothing_to_rounding() {
    // A token is 514,285 5/7 milliseconds.
    var limit =
        limit(7, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 2).countsDenied(false));
    int passed = 0;
    long at = 0;
    for (int i = 0; i < 504; i++) {
      at = i * 71_429L;
      passed += passed(at, 1, limit);
    }
    assertThat(passed).isEqualTo((int) (2 + 7 * at / Unit.HOUR.millis())).isEqualTo(71);
  }

  @Test
  void what_a_token_bucket_does_not_hold_is_not_taken_from_it_even_if_denied_requests_count() {
    var limit = limit(6, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 2));
    assertThat(passed(0, 50, limit)).isEqualTo(2);
    assertThat(passed(Unit.HOUR.millis() / 6, 50, limit)).isEqualTo(1);
  }

  @Test
  void a_token_bucket_is_not_filled_by_a_time_that_goes_back() {
    var limit =
        limit(6, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 2).countsDenied(false));
    long token = Unit.HOUR.millis() / 6;
    assertThat(passed(token, 2, limit)).isEqualTo(2);
    assertThat(passed(token - 7, 1, limit)).isZero();
    assertThat(passed(2 * token - 1, 1, limit)).isZero();
    assertThat(passed(2 * token, 2, limit)).isEqualTo(1);
  }

  @Test
  void a_token_bucket_goes_on_at_once_when_the_clock_was_set_back() {
    var limit =
        limit(6, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 2).countsDenied(false));
    long token = Unit.HOUR.millis() / 6;
    passed(token, 2, limit);
    assertThat(passed(token - 90_000, 1, limit)).isZero();
    assertThat(passed(2 * token - 90_000, 2, limit)).isEqualTo(1);
  }

  @Test
  void a_token_bucket_whose_limit_is_raised_has_given_as_many_tokens_as_before() {
    var name = UUID.randomUUID().toString();
    var five = limit(name, 5, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 5));
    var seven = limit(name, 7, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 7));
    assertThat(passed(0, 4, five)).isEqualTo(4);
    assertThat(passed(0, 9, seven)).isEqualTo(3);
  }

  @Test
  void windows_of_many_units_and_months_of_the_calendar() {
    var fiveMinutes = limit("every", Window.of(Unit.MINUTE, 5), 9, t -> t);
    apply(0, hit(fiveMinutes, "", 1));
    assertThat(apply(299_999, hit(fiveMinutes, "", 1))).containsExactly(2);
    assertThat(apply(300_000, hit(fiveMinutes, "", 1))).containsExactly(1);
    var month = limit("month", Window.of(Unit.MONTH).calendarMonths(), 9, t -> t);
    long january = 31 * Unit.DAY.millis();
    apply(0, hit(month, "", 1));
    assertThat(apply(january - 1, hit(month, "", 1))).containsExactly(2);
    assertThat(apply(january, hit(month, "", 1))).containsExactly(1);
    var sliding = limit(
        "sliding",
        Window.of(Unit.MONTH).calendarMonths(),
        9,
        t -> t.algorithm(Algorithm.SLIDING_WINDOW, 1));
    apply(0, hit(sliding, "", 28));
    assertThat(apply(january + 14 * Unit.DAY.millis(), hit(sliding, "", 0)))
        .as("half of February's 28 days")
        .containsExactly(14);
  }

  @ParameterizedTest
  @EnumSource
  void the_largest_numbers_are_counted_exactly(Algorithm algorithm) {
    long requests = Limit.Terms.MAX_REQUESTS;
    long burst = Limit.Terms.burst(requests, Window.of(Unit.DAY), requests);
    var limit = limit(requests, Unit.DAY, t -> t.algorithm(algorithm, burst).countsDenied(false));
    long most = algorithm == Algorithm.TOKEN_BUCKET ? burst : requests;
    assertThat(counts(0, hit(limit, "", most - 1)).denied()).isFalse();
    assertThat(counts(0, hit(limit, "", 2)).denied()).isTrue();
    assertThat(counts(0, hit(limit, "", Hit.MAX_ADDEND)).denied()).isTrue();
    var last = counts(0, hit(limit, "", 1));
    assertThat(last.denied()).isFalse();
    assertThat(last.used(0)).isEqualTo(limit.capacity());
    assertThat(counts(0, hit(limit, "", 1)).denied()).isTrue();
    assertThat(counts(0, hit(limit, "", -Hit.MAX_ADDEND)).used(0)).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void a_limit_of_nothing_denies_all_but_looks(Algorithm algorithm) {
    var limit = limit(0, Unit.HOUR, t -> t.algorithm(algorithm, 1).countsDenied(false));
    assertThat(counts(0, hit(limit, "", 1)).denied()).isTrue();
    assertThat(counts(0, hit(limit, "", 0)).denied()).isFalse();
    assertThat(counts(0, hit(limit, "", -1)).denied()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void it_counts_as_the_model_does(long seed) {
    var requests = new RandomRequests(seed, now());
    var model = new CountingModel();
    for (int i = 0; i < 300; i++) {
      var hits = requests.next();
      long at = requests.at();
      var expected = model.apply(hits, at);
      // On one loop: in a cluster what is given back would come later on another.
      var counts = on(0, at, hits);
      assertThat(used(counts))
          .as("seed %d, request %d: %s", seed, i, hits)
          .isEqualTo(used(expected));
      assertThat(counts.denied())
          .as("seed %d, request %d: %s", seed, i, hits)
          .isEqualTo(expected.denied());
    }
  }

  @Test
  void raising_a_limit_keeps_its_counters() {
    apply(0, hit(limit("a", Unit.HOUR, 5), "", 3));
    assertThat(apply(0, hit(limit("a", Unit.HOUR, 50), "", 1))).containsExactly(4);
  }

  @ParameterizedTest
  @EnumSource
  void a_window_ends_when_its_unit_does(Unit unit) {
    var hit = hit(limit("a", unit), "", 1);
    long end = Window.of(unit).remaining(now());
    apply(0, hit);
    assertThat(apply(end - 1, hit)).containsExactly(2);
    assertThat(apply(end, hit)).containsExactly(1);
  }

  @Test
  void the_window_ends_on_the_stores_clock() {
    var before = store.now();
    clock.advance(Duration.ofMinutes(5));
    long moved = store.now() - before;
    if (hasClockOfItsOwn()) {
      // Until it asks again the store goes by the local clock; then it knows better.
      await()
          .atMost(Duration.ofSeconds(5))
          .pollInterval(Duration.ofMillis(20))
          .until(() -> Math.abs(store.now() - System.currentTimeMillis()) < 200);
    } else {
      assertThat(moved).isEqualTo(300_000);
    }
  }

  @Test
  void threads_that_hit_one_counter_see_every_count_once() {
    int threads = 8;
    int hits = 500;
    var hit = hit(limit("a", Unit.YEAR), "", 1);
    long now = now();
    var seen = new ConcurrentLinkedQueue<Long>();
    var done = IntStream.range(0, threads)
        .mapToObj(t -> CompletableFuture.runAsync(() -> {
          for (int i = 0; i < hits; i++) {
            seen.add(on(t, now, List.of(hit)).used(0));
          }
        }))
        .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(done).orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(seen.stream().sorted().toList())
        .isEqualTo(LongStream.rangeClosed(1, (long) threads * hits).boxed().toList());
  }

  @ParameterizedTest
  @EnumSource
  void threads_together_pass_exactly_the_limit(Algorithm algorithm) {
    exactness(algorithm.ordinal()).exactlyTheLimitPasses(algorithm, false);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SLIDING_WINDOW")
  void threads_together_pass_exactly_the_limit_where_denied_requests_count(Algorithm algorithm) {
    exactness(algorithm.ordinal()).exactlyTheLimitPasses(algorithm, true);
  }

  @Test
  void threads_that_give_back_lose_and_double_nothing() {
    exactness(4).whatIsGivenBackIsNeitherLostNorDoubled();
  }

  @Test
  void threads_together_pass_a_buckets_burst_and_what_comes_back() {
    exactness(5).aBucketGivesItsBurstAndWhatComesBack();
  }

  private Exactness exactness(long seed) {
    return new Exactness(List.of(store), seed, now());
  }

  @Test
  void an_outcome_comes_on_the_loop_that_asked() {
    var hit = hit(limit("a", Unit.HOUR), "", 1);
    var threads = new ArrayList<CompletableFuture<Boolean>>();
    for (int i = 0; i < 200; i++) {
      var loop = loops.all().get(i % 2);
      var same = new CompletableFuture<Boolean>();
      threads.add(same);
      loop.execute(() -> store.apply(List.of(hit), now(), new CounterStore.Outcome() {
        @Override
        public void counted(Counts counts) {
          same.complete(loop.inEventLoop());
        }

        @Override
        public void unavailable(CounterStore.Reason reason) {
          same.completeExceptionally(new AssertionError(reason));
        }
      }));
    }
    assertThat(threads)
        .allSatisfy(
            same -> assertThat(same.orTimeout(5, TimeUnit.SECONDS).join()).isTrue());
  }

  @Test
  void it_says_that_it_is_available() {
    store.warmUp();
    assertThat(store.available()).isTrue();
  }

  private long[] apply(long later, Hit... hits) {
    return used(counts(later, hits));
  }

  private Counts counts(long later, Hit... hits) {
    return on(0, now() + later, Arrays.asList(hits));
  }

  /** How many of so many requests, one after another, are not denied. */
  private int passed(long later, int requests, Limit limit) {
    int passed = 0;
    for (int i = 0; i < requests; i++) {
      passed += counts(later, hit(limit, "", 1)).denied() ? 0 : 1;
    }
    return passed;
  }

  private static long[] used(Counts counts) {
    return IntStream.range(0, counts.size()).mapToLong(counts::used).toArray();
  }

  /** Fixed in a test, so that none runs over a window's edge; not the true time, which a store is not to look at either. */
  private long now() {
    return clock.millis();
  }

  private Counts on(int loop, long now, List<Hit> hits) {
    var counts = new CompletableFuture<Counts>();
    loops
        .all()
        .get(loop % 2)
        .execute(() -> store.apply(hits, now, new CounterStore.Outcome() {
          @Override
          public void counted(Counts all) {
            counts.complete(all);
          }

          @Override
          public void unavailable(CounterStore.Reason reason) {
            counts.completeExceptionally(new AssertionError(reason));
          }
        }));
    return counts.orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static final String DOMAIN = UUID.randomUUID().toString();

  public static Limit limit(String name, Unit unit) {
    return limit(name, unit, 5);
  }

  public static Limit limit(String name, Unit unit, long requests) {
    return limit(name, requests, unit, t -> t);
  }

  /** One that no other test has. */
  public static Limit limit(long requests, Unit unit, UnaryOperator<Limit.Terms.Builder> terms) {
    return limit(UUID.randomUUID().toString(), requests, unit, terms);
  }

  static Limit limit(
      String name, long requests, Unit unit, UnaryOperator<Limit.Terms.Builder> terms) {
    return limit(name, Window.of(unit), requests, terms);
  }

  private static Limit limit(
      String name, Window window, long requests, UnaryOperator<Limit.Terms.Builder> terms) {
    var tree = new LimitTree.Builder();
    tree.limit(
        DOMAIN,
        List.of(new Step("key", name)),
        terms.apply(Limit.Terms.builder(requests, window, "shop/policy")).build());
    return tree.build().limits().getFirst();
  }

  public static Hit hit(Limit limit, String subject, long addend) {
    return new Hit(0, limit, subject, addend);
  }
}
