package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.testkit.RedisProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Replicas on one Redis admit exactly as many as a limit allows; while one of them or Redis is killed never more, and less only by those
 * whom nobody could tell. A seed says when what is killed; it stands in the failure's text.
 */
final class RedisExactnessTest {
  private static final Duration TIMEOUT = Duration.ofMillis(200);

  /** Where nothing is killed nobody is to be given up, however slow the machine is. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final int REPLICAS = 3;

  private final String prefix = UUID.randomUUID() + ":";

  /** A window so long, and a bucket that fills so slowly, that neither ends nor fills in a test. */
  static Limit limit(Algorithm algorithm, long requests) {
    boolean bucket = algorithm == Algorithm.TOKEN_BUCKET;
    var window = bucket ? Window.of(Unit.MONTH) : Window.of(Unit.YEAR, 50);
    var terms = Limit.Terms.builder(bucket ? 1 : requests, window, "shop/policy")
        .algorithm(algorithm, bucket ? requests : 1)
        .countsDenied(false)
        .build();
    var tree = new LimitTree.Builder();
    tree.limit("exactness", List.of(new Step("key", "value")), terms);
    return tree.build().limits().getFirst();
  }

  @ParameterizedTest
  @EnumSource
  void replicas_admit_exactly_the_limit(Algorithm algorithm) {
    try (var redis = RedisProcess.start()) {
      var crowds = crowds(redis, limit(algorithm, 3000), PATIENCE);
      await().until(() -> denied(crowds) > 1000);
      end(crowds);
      assertThat(lost(crowds)).isZero();
      assertThat(admitted(crowds)).isEqualTo(3000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_redis_that_is_killed_and_started_again_lets_no_more_pass(Algorithm algorithm) {
    redisIsKilled(20, algorithm, 2, 3000);
  }

  @Test
  void a_replica_that_goes_in_the_middle_of_it_lets_no_more_pass() {
    try (var redis = RedisProcess.start()) {
      var crowds = crowds(redis, limit(Algorithm.FIXED_WINDOW, 5000), PATIENCE);
      await().until(() -> admitted(crowds) > 1000);
      crowds.getFirst().close();
      await().until(() -> denied(crowds) > 1000);
      end(crowds.subList(1, REPLICAS));
      assertThat(admitted(crowds)).isLessThanOrEqualTo(5000);
      // Those who were inside the one that went.
      assertThat(admitted(crowds) + lost(crowds)).isGreaterThanOrEqualTo(5000 - 64);
    }
  }

  /** Ten seeds an algorithm, a minute or two together. */
  @Tag("faults")
  @ParameterizedTest
  @EnumSource
  void redis_is_killed_again_and_again(Algorithm algorithm) {
    for (int seed = 0; seed < 10; seed++) {
      redisIsKilled(seed, algorithm, 5, 20_000);
    }
  }

  /** Processes of their own, and Redis goes on. */
  @Tag("faults")
  @ParameterizedTest
  @EnumSource
  void replicas_are_killed_again_and_again(Algorithm algorithm) {
    long requests = 200_000;
    for (int seed = 0; seed < 3; seed++) {
      var random = new Random(seed);
      var its = prefix + seed + ":";
      var gone = new ArrayList<ReplicaProcess>();
      var running = new ArrayList<ReplicaProcess>();
      try (var redis = RedisProcess.start();
          var last = new Crowd(
              RedisUrl.parse(redis.url()).with(TIMEOUT, its),
              hit(limit(algorithm, requests), "", 1),
              null)) {
        for (int i = 0; i < REPLICAS; i++) {
          running.add(ReplicaProcess.start(redis.url(), its, algorithm, requests));
        }
        for (int kills = 0; kills < 4; kills++) {
          long some = requests * (kills + 1) / 8;
          await()
              .atMost(Duration.ofSeconds(30))
              .until(() -> admittedBy(gone) + admittedBy(running) > some);
          var killed = running.remove(random.nextInt(running.size()));
          LockSupport.parkNanos(random.nextInt(200_000_000));
          killed.close();
          gone.add(killed);
          running.add(ReplicaProcess.start(redis.url(), its, algorithm, requests));
        }
        last.begin();
        await().atMost(Duration.ofSeconds(60)).until(() -> last.denied.get() > 1000);
        last.end();
        running.forEach(ReplicaProcess::close);
        gone.addAll(running);
        long admitted = last.admitted.get() + admittedBy(gone);
        assertThat(admitted).as("seed " + seed).isLessThanOrEqualTo(requests);
        // Each that was killed had at most 32 callers inside, who were counted and never told.
        assertThat(admitted + last.lost.get())
            .as("seed " + seed)
            .isGreaterThanOrEqualTo(requests - 32L * gone.size());
      } finally {
        running.forEach(ReplicaProcess::close);
      }
    }
  }

  private static long admittedBy(List<ReplicaProcess> replicas) {
    return replicas.stream().mapToLong(replica -> replica.admitted.get()).sum();
  }

  /** It writes each hit to disk before it answers, so what it answered it still knows afterwards. */
  private void redisIsKilled(long seed, Algorithm algorithm, int kills, long requests) {
    var moments = new Random(seed);
    try (var redis = RedisProcess.start("--appendonly", "yes", "--appendfsync", "always")) {
      var crowds = crowds(redis, limit(algorithm, requests), TIMEOUT);
      for (int i = 1; i <= kills; i++) {
        long some = requests * i / (kills + 2);
        await().atMost(Duration.ofSeconds(30)).until(() -> admitted(crowds) > some);
        LockSupport.parkNanos(moments.nextInt(20_000_000));
        redis.restart();
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> denied(crowds) > 1000);
      end(crowds);
      assertThat(admitted(crowds)).as("seed " + seed).isLessThanOrEqualTo(requests);
      assertThat(admitted(crowds) + lost(crowds))
          .as("seed " + seed)
          .isGreaterThanOrEqualTo(requests);
    }
  }

  private List<Crowd> crowds(RedisProcess redis, Limit limit, Duration timeout) {
    var settings = RedisUrl.parse(redis.url()).with(timeout, prefix + UUID.randomUUID());
    var crowds = new ArrayList<Crowd>();
    for (int i = 0; i < REPLICAS; i++) {
      crowds.add(new Crowd(settings, hit(limit, "", 1), null));
    }
    crowds.forEach(Crowd::begin);
    return crowds;
  }

  private static void end(List<Crowd> crowds) {
    crowds.forEach(Crowd::end);
    crowds.forEach(Crowd::close);
  }

  private static long admitted(List<Crowd> crowds) {
    return crowds.stream().mapToLong(crowd -> crowd.admitted.get()).sum();
  }

  private static long denied(List<Crowd> crowds) {
    return crowds.stream().mapToLong(crowd -> crowd.denied.get()).sum();
  }

  private static long lost(List<Crowd> crowds) {
    return crowds.stream().mapToLong(crowd -> crowd.lost.get()).sum();
  }
}
