package dev.gatehouse.ratelimit.counter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
            seen.add(on(t, now, hit)[0]);
          }
        }))
        .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(done).orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(seen.stream().sorted().toList())
        .isEqualTo(LongStream.rangeClosed(1, (long) threads * hits).boxed().toList());
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
    return on(0, now() + later, hits);
  }

  /** Fixed in a test, so that none runs over a window's edge; not the true time, which a store is not to look at either. */
  private long now() {
    return clock.millis();
  }

  private long[] on(int loop, long now, Hit... hits) {
    var counts = new CompletableFuture<long[]>();
    loops
        .all()
        .get(loop % 2)
        .execute(() -> store.apply(Arrays.asList(hits), now, new CounterStore.Outcome() {
          @Override
          public void counted(Counts all) {
            counts.complete(IntStream.range(0, all.size()).mapToLong(all::used).toArray());
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
    var tree = new LimitTree.Builder();
    tree.limit(
        DOMAIN, List.of(new Step("key", name)), Limit.Terms.of(requests, unit, "shop/policy"));
    return tree.build().limits().getFirst();
  }

  public static Hit hit(Limit limit, String subject, long addend) {
    return new Hit(0, limit, subject, addend);
  }
}
