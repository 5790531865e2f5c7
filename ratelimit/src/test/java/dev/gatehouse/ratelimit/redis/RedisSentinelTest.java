package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.RedisProcess;
import dev.gatehouse.testkit.RedisSentinels;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Sentinels say who the master is, and they want a password that the master does not. */
final class RedisSentinelTest {
  private static final String PASSWORD = "of the sentinels";

  private final RedisSentinels sentinels = RedisSentinels.start(PASSWORD);
  private final EventLoops loops = EventLoops.start(2);
  private final List<CounterStore> stores = new ArrayList<>();

  @AfterEach
  void stop() {
    stores.forEach(CounterStore::close);
    loops.close();
    sentinels.close();
  }

  @Test
  void the_replica_takes_over_within_seconds_and_hits_follow_it() {
    var stranger = started(new Login("", "wrong"));
    replicaTakesOver(RedisProcess::stop);
    assertThat(ask(stranger)).as("whom no sentinel answers").isEqualTo("NOT_CONNECTED");
    assertThat(stranger.available()).isFalse();
  }

  /** Its connections stand, and nobody says that they lead nowhere. */
  @Tag("faults")
  @Test
  void a_master_that_hangs_is_left_for_the_replica_too() {
    replicaTakesOver(RedisProcess::pause);
  }

  private void replicaTakesOver(Consumer<RedisProcess> fault) {
    var store = started(new Login("", PASSWORD));
    await().until(store::available);
    assertThat(ask(store)).isEqualTo("1");
    var master = sentinels.servers().getFirst();
    master.awaitReplicated();

    fault.accept(master);

    await().atMost(Duration.ofSeconds(2)).until(() -> !ask(store).matches("[0-9]+"));
    await()
        .atMost(Duration.ofSeconds(15))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> ask(store).matches("[0-9]+"));
    assertThat(sentinels.servers().getLast().info("role")).isEqualTo("master");
    assertThat(Long.parseLong(ask(store))).as("what was counted is kept").isGreaterThan(2);
  }

  /** The first of the list listens nowhere. */
  private CounterStore started(Login atSentinels) {
    var all = new ArrayList<>(List.of(new HostPort("127.0.0.1", 1)));
    sentinels.sentinels().forEach(sentinel -> all.add(new HostPort("127.0.0.1", sentinel.port())));
    var topology = new Topology.Sentinel(RedisSentinels.MASTER, List.copyOf(all), atSentinels);
    var store = RedisCounterStore.start(
        RedisSettings.at(topology).with(Duration.ofMillis(500), "t:"),
        loops.all(),
        InstantSource.system());
    stores.add(store);
    return store;
  }

  private String ask(CounterStore store) {
    return Ask.one(store, loops.all().getFirst()).join();
  }
}
