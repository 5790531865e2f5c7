package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStoreContract;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.RedisFixture;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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

  /** Replicas whose clocks are a quarter of an hour apart are one: in each of their answers the others' hits are counted at their time. */
  @ParameterizedTest
  @EnumSource
  void replicas_whose_clocks_are_minutes_apart_agree(Algorithm algorithm) {
    var prefix = redis.freshPrefix();
    try (var fast = replica(prefix, Duration.ofMinutes(8));
        var slow = replica(prefix, Duration.ofMinutes(-7));
        var right = replica(prefix, Duration.ZERO)) {
      assertThat(fast.now() - slow.now()).isBetween(-50L, 50L);
      assertThat(right.now() - System.currentTimeMillis()).isBetween(-50L, 50L);
      // A minute's window, whose end nobody meets here, and a bucket that gets a token every 10 s.
      await().until(() -> Window.of(Unit.MINUTE).remaining(right.now()) > 5_000);
      var limit = limit(6, Unit.MINUTE, t -> t.algorithm(algorithm, 6).countsDenied(false));
      var loop = loops.all().getFirst();
      for (var replica : List.of(fast, slow, right, slow, fast, right)) {
        var counts = Ask.counts(replica, loop, replica.now(), hit(limit, "", 1)).join();
        assertThat(counts.denied()).isFalse();
      }
      for (var replica : List.of(fast, slow, right)) {
        var counts = Ask.counts(replica, loop, replica.now(), hit(limit, "", 1)).join();
        assertThat(counts.denied()).as("%s", algorithm).isTrue();
      }
    }
  }

  private CounterStore replica(String prefix, Duration ahead) {
    var clock = Clock.offset(Clock.systemUTC(), ahead);
    var store = RedisCounterStore.start(settings(prefix), loops.all().subList(0, 1), clock);
    store.warmUp();
    return store;
  }

  private static RedisSettings settings(String prefix) {
    return RedisUrl.parse(redis.url()).with(Duration.ofSeconds(2), prefix);
  }
}
