package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.RedisProcess;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is sent to Redis, and what it keeps. */
final class RedisScriptTest {
  private static RedisProcess redis;

  private final EventLoops loops = EventLoops.start(1);
  private final String prefix = UUID.randomUUID() + ":";
  private CounterStore store;

  @BeforeAll
  static void startRedis() {
    redis = RedisProcess.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @BeforeEach
  void start() {
    store = started();
    redis.tell("CONFIG", "RESETSTAT");
  }

  private CounterStore started() {
    var fresh = RedisCounterStore.start(
        RedisUrl.parse(redis.url()).with(Duration.ofSeconds(2), prefix),
        loops.all(),
        InstantSource.system());
    fresh.warmUp();
    await().until(fresh::available);
    return fresh;
  }

  @AfterEach
  void stop() {
    store.close();
    loops.close();
  }

  @Test
  void a_request_is_one_script_whatever_its_limits() {
    counts(
        hit(notCounted(Algorithm.FIXED_WINDOW, 5), "", 1),
        hit(notCounted(Algorithm.SLIDING_WINDOW, 5), "", 1),
        hit(notCounted(Algorithm.TOKEN_BUCKET, 5), "", 1),
        hit(limit("d", Unit.HOUR), "", 1));
    assertThat(calls("evalsha")).isEqualTo(1);
  }

  @Test
  void the_script_is_there_before_it_is_first_called() {
    counts(hit(notCounted(Algorithm.FIXED_WINDOW, 5), "", 1));
    assertThat(redis.info("errorstat_NOSCRIPT")).isEmpty();
  }

  @Test
  void a_redis_that_has_forgotten_the_script_is_given_it_again_and_no_hit_is_lost_or_doubled() {
    var limit = notCounted(Algorithm.FIXED_WINDOW, 5000);
    var all = new ArrayList<CompletableFuture<Counts>>();
    for (int i = 0; i < 2000; i++) {
      if (i % 100 == 50) {
        redis.tell("SCRIPT", "FLUSH");
      }
      all.add(asked(hit(limit, "", 1)));
    }
    var used = all.stream().map(answer -> answer.join().used(0)).sorted().toList();
    assertThat(used).hasSize(2000).doesNotHaveDuplicates();
    assertThat(used.getLast()).isEqualTo(2000);
    assertThat(redis.info("errorstat_NOSCRIPT")).isNotEmpty();
  }

  @Test
  void a_hit_that_is_counted_anyway_is_a_plain_command_and_its_end_is_told_once() {
    var limit = limit("plain" + UUID.randomUUID(), Unit.HOUR);
    for (int i = 1; i <= 50; i++) {
      assertThat(counts(hit(limit, "", 1)).used(0)).isEqualTo(i);
    }
    assertThat(calls("incrby")).isEqualTo(50);
    assertThat(calls("pexpire")).isEqualTo(1);
    assertThat(calls("evalsha")).isZero();
  }

  @Test
  void a_counter_that_redis_has_lost_gets_an_end_again() {
    var limit = limit("lost" + UUID.randomUUID(), Unit.HOUR);
    counts(hit(limit, "", 1));
    redis.tell("DEL", key(limit));
    assertThat(counts(hit(limit, "", 1)).used(0)).isEqualTo(1);
    await().untilAsserted(() -> assertThat(lives(limit)).isPositive());
  }

  @Test
  void after_a_new_connection_the_end_is_told_again() {
    var limit = limit("again" + UUID.randomUUID(), Unit.HOUR);
    counts(hit(limit, "", 1));
    redis.tell("PERSIST", key(limit));
    redis.tell("CLIENT", "KILL", "TYPE", "normal");
    await().until(store::available);
    await().ignoreExceptions().untilAsserted(() -> counts(hit(limit, "", 1)));
    await().untilAsserted(() -> assertThat(lives(limit)).isPositive());
  }

  @ParameterizedTest
  @EnumSource
  void every_key_ends_with_its_window_and_a_little_later(Algorithm algorithm) {
    var limit = notCounted(algorithm, 5);
    long remaining = limit.window().remaining(store.now());
    counts(hit(limit, "", 1));
    long slack = RedisLoop.SLACK_MILLIS;
    switch (algorithm) {
      case FIXED_WINDOW -> assertThat(lives(limit)).isBetween(remaining, remaining + slack);
      case SLIDING_WINDOW ->
        assertThat(lives(limit))
            .isBetween(
                remaining + Unit.HOUR.millis() - 1000, remaining + Unit.HOUR.millis() + slack);
      // One of five tokens of an hour comes back in twelve minutes.
      case TOKEN_BUCKET ->
        assertThat(lives(limit)).isBetween(Unit.HOUR.millis() / 5, Unit.HOUR.millis() / 5 + slack);
    }
  }

  @ParameterizedTest
  @EnumSource
  void neither_looks_nor_denied_requests_leave_a_key(Algorithm algorithm) {
    var limit = notCounted(algorithm, 5);
    counts(hit(limit, "", 0));
    counts(hit(limit, "", -1));
    counts(hit(limit, "", 6));
    counts(hit(limit, "", 1), hit(notCounted(algorithm, 0), "", 1));
    assertThat(keys()).isEmpty();
  }

  @Test
  void a_bucket_that_is_full_again_leaves_no_key() {
    var limit = notCounted(Algorithm.TOKEN_BUCKET, 5);
    counts(hit(limit, "", 2));
    assertThat(keys()).hasSize(1);
    counts(hit(limit, "", -3));
    assertThat(keys()).isEmpty();
  }

  @Test
  void the_script_has_no_number_that_lua_writes_with_an_exponent() {
    var year = limit(
        4_000_000_007L,
        Unit.YEAR,
        t -> t.algorithm(Algorithm.TOKEN_BUCKET, 100_000).countsDenied(false));
    assertThat(counts(hit(year, "", 99_999)).denied()).isFalse();
    assertThat(String.valueOf(redis.tell("GET", keys().getFirst())))
        .matches("[0-9]+ [0-9]+ [0-9]+");
    assertThat(counts(hit(year, "", -99_000)).used(0)).isPositive();
    assertThat(String.valueOf(redis.tell("GET", keys().getFirst())))
        .matches("[0-9]+ [0-9]+ [0-9]+");
  }

  private Counts counts(Hit... hits) {
    return asked(hits).join();
  }

  private CompletableFuture<Counts> asked(Hit... hits) {
    return Ask.counts(store, loops.all().getFirst(), store.now(), hits);
  }

  private static Limit notCounted(Algorithm algorithm, long requests) {
    return limit(
        requests,
        Unit.HOUR,
        t -> t.algorithm(algorithm, Math.max(1, requests)).countsDenied(false));
  }

  private String key(Limit limit) {
    return new String(new Keys(prefix).of(hit(limit, "", 1), store.now()), StandardCharsets.UTF_8);
  }

  /** How long the key has still to live, in milliseconds; -1 if for ever. */
  private long lives(Limit limit) {
    return redis.tell("PTTL", key(limit)) instanceof Long millis ? millis : -1;
  }

  private List<String> keys() {
    return redis.tell("KEYS", prefix + "*") instanceof List<?> keys
        ? keys.stream().map(String::valueOf).toList()
        : List.of();
  }

  /** How often clients, not scripts, have sent the command. */
  private static long calls(String command) {
    var line = redis.info("cmdstat_" + command);
    return line.isEmpty() ? 0 : Long.parseLong(line.replaceAll("calls=([0-9]+),.*", "$1"));
  }
}
