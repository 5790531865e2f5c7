package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStoreContract;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.RedisCluster;
import dev.gatehouse.testkit.RedisProcess;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A cluster of three masters is a store like any other, also while it changes, for a user who may no more than it must. */
final class RedisClusterTest extends CounterStoreContract {
  private static RedisCluster cluster;

  @BeforeAll
  static void startCluster() {
    cluster = RedisCluster.start(3, 0);
    cluster.nodes().forEach(RedisLeastRightsTest::grantInCluster);
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  @Override
  protected CounterStore store(FakeClock clock, EventLoops loops) {
    var store = RedisCounterStore.start(settings(UUID.randomUUID() + ":"), loops.all(), clock);
    store.warmUp();
    return store;
  }

  private static RedisSettings settings(String prefix) {
    return RedisUrl.parse(cluster.url())
        .with(Duration.ofSeconds(2), prefix)
        .withLogin(RedisLeastRightsTest.LOGIN);
  }

  @Override
  protected boolean hasClockOfItsOwn() {
    return true;
  }

  @Test
  void counters_are_spread_over_the_nodes_and_a_request_finds_them_all() {
    var prefix = UUID.randomUUID() + ":";
    try (var store = started(settings(prefix))) {
      var hits = IntStream.range(0, 30)
          .mapToObj(i -> hit(limit("spread", Unit.YEAR), "subject-" + i, 1))
          .toList();
      var ones = "1" + " 1".repeat(29);
      assertThat(Ask.all(store, loops.all().getFirst(), hits).join()).isEqualTo(ones);
      assertThat(Ask.all(store, loops.all().getLast(), hits).join())
          .isEqualTo(ones.replace('1', '2'));
      assertThat(cluster.nodes())
          .allSatisfy(node -> assertThat(keys(node, prefix)).isNotEmpty());
    }
  }

  @Test
  void a_request_over_two_nodes_that_one_denies_gives_back_what_the_other_has_counted() {
    var prefix = UUID.randomUUID() + ":";
    try (var store = started(settings(prefix))) {
      for (var algorithm : Algorithm.values()) {
        var room = limit(9, Unit.YEAR, t -> t.algorithm(algorithm, 9).countsDenied(false));
        var full = limit(0, Unit.YEAR, t -> t.countsDenied(false));
        for (int i = 0; i < 20; i++) {
          var taking = hit(room, "s" + i, 3);
          assertThat(counts(store, hit(full, "", 1), taking).denied()).isTrue();
          assertThat(counts(store, hit(room, "s" + i, 0)).used(0)).isZero();
        }
      }
    }
  }

  /** The one inexactness: until the other node has said no, and what was counted is given back, another request may be denied for it. */
  @Test
  void while_one_node_is_asked_another_may_deny_for_what_is_given_back_later() {
    var prefix = UUID.randomUUID() + ":";
    try (var store = started(settings(prefix))) {
      var one = limit(1, Unit.YEAR, t -> t.countsDenied(false));
      var full = limit(0, Unit.YEAR, t -> t.countsDenied(false));
      var here = subjectOn(0, one, prefix);
      var there = subjectOn(1, full, prefix);
      var loop = loops.all().getFirst();
      cluster.nodes().get(1).pause();
      var split = Ask.counts(store, loop, store.now(), hit(one, here, 1), hit(full, there, 1));
      assertThat(counts(store, hit(one, here, 1)).denied()).as("wrongly").isTrue();
      cluster.nodes().get(1).resume();
      assertThat(split.join().denied()).isTrue();
      assertThat(counts(store, hit(one, here, 1)).denied()).as("given back").isFalse();
    }
  }

  /** A subject whose counter is on that node. */
  private static String subjectOn(int node, Limit limit, String prefix) {
    var keys = new Keys(prefix);
    for (int i = 0; ; i++) {
      var key = new String(
          keys.of(hit(limit, "s" + i, 1), System.currentTimeMillis()), StandardCharsets.UTF_8);
      // A cluster of three: a third of the slots each.
      if (cluster.slot(key) * 3 / 16_384 == node && !isNearAnEdge(cluster.slot(key))) {
        return "s" + i;
      }
    }
  }

  private static boolean isNearAnEdge(int slot) {
    return slot % 5461 < 10 || slot % 5461 > 5450;
  }

  private Counts counts(CounterStore store, Hit... hits) {
    return Ask.counts(store, loops.all().getFirst(), store.now(), hits).join();
  }

  @Test
  void one_node_is_enough_to_find_the_others() {
    var last = cluster.nodes().getLast();
    var url = "redis-cluster://127.0.0.1:" + last.port();
    try (var store = started(RedisUrl.parse(url).with(Duration.ofSeconds(2), "one:"))) {
      for (int i = 0; i < 20; i++) {
        var hit = hit(limit("found", Unit.YEAR), UUID.randomUUID() + "", 1);
        assertThat(Ask.one(store, loops.all().getFirst(), hit).join()).isEqualTo("1");
      }
    }
  }

  /** Eight moves to and fro while some hundreds of hits are under way at any time. */
  @Test
  void a_slot_that_moves_under_load_costs_no_hit_and_counts_none_twice() {
    var prefix = UUID.randomUUID() + ":";
    try (var store = started(settings(prefix))) {
      var hit = hit(limit("moving", Unit.YEAR), "", 1);
      assertThat(Ask.one(store, loops.all().getFirst(), hit).join()).isEqualTo("1");
      var key = cluster.nodes().stream()
          .flatMap(node -> keys(node, prefix).stream())
          .findFirst()
          .orElseThrow();
      int slot = cluster.slot(key);
      var load = new Load(store, hit);
      load.begin();
      var from = holder(key);
      for (int i = 0; i < 8; i++) {
        var to = cluster.nodes().get((cluster.nodes().indexOf(from) + 1) % 3);
        cluster.move(slot, from, to);
        from = to;
      }
      var answers = load.end();
      assertThat(answers.size()).isGreaterThan(1000);
      assertThat(answers).allMatch(answer -> answer.matches("[0-9]+"));
      var counts = answers.stream().map(Long::parseLong).sorted().toList();
      assertThat(counts).doesNotHaveDuplicates();
      assertThat(counts.getLast()).isEqualTo(counts.size() + 1L);
    }
  }

  private RedisProcess holder(String key) {
    return cluster.nodes().stream()
        .filter(node -> keys(node, key).size() == 1)
        .findFirst()
        .orElseThrow();
  }

  private static List<String> keys(RedisProcess node, String prefix) {
    return node.tell("KEYS", prefix + "*") instanceof List<?> keys
        ? keys.stream().map(String::valueOf).toList()
        : List.of();
  }

  private CounterStore started(RedisSettings settings) {
    var store = RedisCounterStore.start(settings, loops.all(), InstantSource.system());
    store.warmUp();
    await().until(store::available);
    return store;
  }

  /** Hits without a pause, a hundred at a time. */
  private final class Load {
    private final CounterStore store;
    private final Hit hit;
    private final Semaphore room = new Semaphore(100);
    private final AtomicBoolean ended = new AtomicBoolean();
    private final List<CompletableFuture<String>> answers = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "load");

    Load(CounterStore store, Hit hit) {
      this.store = store;
      this.hit = hit;
    }

    void begin() {
      thread.start();
    }

    private void run() {
      for (int i = 0; !ended.get(); i++) {
        room.acquireUninterruptibly();
        answers.add(Ask.one(store, loops.all().get(i % 2), hit)
            .whenComplete((answer, failure) -> room.release()));
      }
    }

    List<String> end() {
      ended.set(true);
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return answers.stream().map(CompletableFuture::join).toList();
    }
  }
}
