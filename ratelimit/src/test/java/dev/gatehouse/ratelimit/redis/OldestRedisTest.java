package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStoreContract;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.RedisProcess;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Redis 6.2 is a store like any other. */
final class OldestRedisTest extends CounterStoreContract {
  private static RedisProcess redis;

  @BeforeAll
  static void startRedis() {
    redis = RedisProcess.startOldest();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  protected CounterStore store(FakeClock clock, EventLoops loops) {
    var settings = RedisUrl.parse(redis.url()).with(Duration.ofSeconds(2), UUID.randomUUID() + ":");
    var store = RedisCounterStore.start(settings, loops.all(), clock);
    store.warmUp();
    return store;
  }

  @Override
  protected boolean hasClockOfItsOwn() {
    return true;
  }

  @Test
  void it_is_the_oldest() {
    assertThat(redis.info("redis_version")).startsWith("6.2.");
  }
}
