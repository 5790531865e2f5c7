package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStoreContract;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.RedisFixture;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class RedisCounterStoreTest extends CounterStoreContract {
  private static RedisFixture redis;

  @BeforeAll
  static void startRedis() {
    redis = RedisFixture.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  protected CounterStore store(FakeClock clock, EventLoops loops) {
    var store = RedisCounterStore.start(settings(redis.freshPrefix()), loops.all(), clock);
    store.warmUp();
    return store;
  }

  @Override
  protected boolean hasClockOfItsOwn() {
    return true;
  }

  @Test
  void replicas_with_skewed_clocks_agree() {
    var prefix = redis.freshPrefix();
    var fast = Clock.offset(Clock.systemUTC(), Duration.ofMinutes(7));
    var slow = Clock.offset(Clock.systemUTC(), Duration.ofMinutes(-7));
    try (var a = replica(prefix, fast);
        var b = replica(prefix, slow)) {
      assertThat(a.now() - b.now()).isBetween(-50L, 50L);
      var hit = hit(limit("a", Unit.MINUTE), "", 1);
      await().until(() -> Window.of(Unit.MINUTE).remaining(a.now()) > 1000);
      assertThat(count(a, hit)).isEqualTo(1);
      assertThat(count(b, hit)).isEqualTo(2);
      assertThat(count(a, hit)).isEqualTo(3);
    }
  }

  private CounterStore replica(String prefix, Clock clock) {
    var store = RedisCounterStore.start(settings(prefix), loops.all().subList(0, 1), clock);
    store.warmUp();
    return store;
  }

  private static RedisSettings settings(String prefix) {
    return RedisUrl.parse(redis.url()).with(Duration.ofSeconds(2), prefix);
  }

  private static long count(CounterStore store, Hit hit) {
    var count = new CompletableFuture<Long>();
    store.apply(List.of(hit), store.now(), new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        count.complete(counts.used(0));
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        count.completeExceptionally(new AssertionError(reason));
      }
    });
    return count.orTimeout(5, TimeUnit.SECONDS).join();
  }
}
