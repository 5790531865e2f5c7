package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Exactness;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.RedisFixture;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replicas of the service, each on its own loops and with a clock of its own, on one Redis. */
final class ReplicasTest {
  private static final long NOW = Instant.parse("2026-06-01T12:20:00Z").toEpochMilli();
  private static final int REPLICAS = 4;

  private final RedisFixture redis = RedisFixture.start();
  private final List<EventLoops> loops = new ArrayList<>();
  private final List<CounterStore> replicas = new ArrayList<>();

  @BeforeEach
  void start() {
    var settings = RedisUrl.parse(redis.url()).with(Duration.ofSeconds(5), redis.freshPrefix());
    for (int i = 0; i < REPLICAS; i++) {
      var own = EventLoops.start(1);
      loops.add(own);
      var clock = Clock.offset(Clock.systemUTC(), Duration.ofMinutes(5L * i));
      var store = RedisCounterStore.start(settings, own.all(), clock);
      store.warmUp();
      replicas.add(store);
    }
  }

  @AfterEach
  void stop() {
    replicas.forEach(CounterStore::close);
    loops.forEach(EventLoops::close);
    redis.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void replicas_together_pass_exactly_what_one_would(long seed) {
    var exactness = new Exactness(replicas, seed, NOW);
    for (var algorithm : Algorithm.values()) {
      exactness.exactlyTheLimitPasses(algorithm, false);
      exactness.twoLimitsAreConsumedTogetherOrNotAtAll(algorithm);
    }
    exactness.exactlyTheLimitPasses(Algorithm.FIXED_WINDOW, true);
    exactness.exactlyTheLimitPasses(Algorithm.TOKEN_BUCKET, true);
    exactness.whatIsGivenBackIsNeitherLostNorDoubled();
    exactness.aBucketGivesItsBurstAndWhatComesBack();
  }
}
