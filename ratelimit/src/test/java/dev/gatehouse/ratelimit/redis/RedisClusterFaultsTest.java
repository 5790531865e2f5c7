package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.RedisCluster;
import dev.gatehouse.testkit.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A master of a cluster goes away while the others stay. */
@Tag("faults")
final class RedisClusterFaultsTest {
  private final String prefix = UUID.randomUUID() + ":";
  private final EventLoops loops = EventLoops.start(2);
  private final RedisCluster cluster = RedisCluster.start(3, 1);
  private CounterStore store;

  @BeforeEach
  void start() {
    store = RedisCounterStore.start(
        RedisUrl.parse(cluster.url()).with(Duration.ofMillis(100), prefix),
        loops.all(),
        InstantSource.system());
    store.warmUp();
    await().until(store::available);
  }

  @AfterEach
  void stop() {
    store.close();
    loops.close();
    cluster.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void its_replica_takes_over_and_the_other_masters_count_all_the_while(boolean killed) {
    var gone = cluster.nodes().getFirst();
    var there = hitOn(cluster.nodes().get(1));
    var away = hitOn(gone);
    assertThat(ask(away)).isEqualTo("2");
    gone.awaitReplicated();

    Consumer<RedisProcess> fault = killed ? RedisProcess::stop : RedisProcess::pause;
    fault.accept(gone);

    await().atMost(Duration.ofSeconds(3)).until(() -> !counted(ask(away)));
    await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20)).until(() -> {
      assertThat(ask(there)).as("what another master holds").matches("[0-9]+");
      return counted(ask(away));
    });
    assertThat(Long.parseLong(ask(away))).as("what was counted is kept").isGreaterThan(3);
    await().atMost(Duration.ofSeconds(5)).until(store::available);
  }

  /** One that this node counts, and has counted once. */
  private Hit hitOn(RedisProcess node) {
    return Stream.generate(() -> hit(limit("a", Unit.YEAR), UUID.randomUUID().toString(), 1))
        .limit(100)
        .filter(hit -> {
          long before = keys(node);
          assertThat(ask(hit)).isEqualTo("1");
          return keys(node) > before;
        })
        .findFirst()
        .orElseThrow();
  }

  private long keys(RedisProcess node) {
    return node.tell("KEYS", prefix + "*") instanceof List<?> keys ? keys.size() : 0;
  }

  private static boolean counted(String answer) {
    return answer.matches("[0-9]+");
  }

  private String ask(Hit hit) {
    return Ask.one(store, loops.all().getFirst(), hit).join();
  }
}
