package dev.gatehouse.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A master, a replica, and three sentinels that watch them and let the replica take over when the master has been silent for half a second. */
public final class RedisSentinels implements AutoCloseable {
  /** The name that the sentinels know the master by. */
  public static final String MASTER = "mymaster";

  private static final int SENTINELS = 3;

  private final List<RedisProcess> servers = new ArrayList<>();
  private final List<RedisProcess> sentinels = new ArrayList<>();
  private final @Nullable String sentinelPassword;

  private RedisSentinels(@Nullable String sentinelPassword) {
    this.sentinelPassword = sentinelPassword;
  }

  /** @param sentinelPassword what the sentinels want to hear before they answer; null for nothing */
  public static RedisSentinels start(@Nullable String sentinelPassword) {
    var all = new RedisSentinels(sentinelPassword);
    try {
      all.begin();
      return all;
    } catch (RuntimeException e) {
      all.close();
      throw e;
    }
  }

  private void begin() {
    var master = RedisProcess.start("--repl-diskless-sync-delay", "0");
    servers.add(master);
    var replica = RedisProcess.start("--replicaof", "127.0.0.1", "" + master.port());
    servers.add(replica);
    RedisProcess.await(
        "the replica to follow", () -> replica.info("master_link_status").equals("up"));
    var lines = new ArrayList<>(List.of(
        "sentinel monitor " + MASTER + " 127.0.0.1 " + master.port() + " 2",
        "sentinel down-after-milliseconds " + MASTER + " 500",
        "sentinel failover-timeout " + MASTER + " 3000",
        "sentinel parallel-syncs " + MASTER + " 1"));
    if (sentinelPassword != null) {
      lines.add("requirepass \"" + sentinelPassword + "\"");
      lines.add("sentinel sentinel-pass \"" + sentinelPassword + "\"");
    }
    for (int i = 0; i < SENTINELS; i++) {
      sentinels.add(RedisProcess.startSentinel(lines));
    }
    RedisProcess.await(
        "the sentinels to know each other and the replica",
        () -> sentinels.stream().allMatch(this::knowsAll));
  }

  private boolean knowsAll(RedisProcess sentinel) {
    if (!(tell(sentinel, "SENTINEL", "MASTER", MASTER) instanceof List<?> facts)) {
      return false;
    }
    return fact(facts, "num-slaves").equals("1")
        && fact(facts, "num-other-sentinels").equals("" + (SENTINELS - 1));
  }

  private static String fact(List<?> facts, String name) {
    int at = facts.indexOf(name);
    return at < 0 ? "" : String.valueOf(facts.get(at + 1));
  }

  private @Nullable Object tell(RedisProcess sentinel, String... command) {
    return sentinelPassword == null
        ? sentinel.tell(command)
        : sentinel.tellWith(sentinelPassword, command);
  }

  /** The two servers; the first was the master at the start. */
  public List<RedisProcess> servers() {
    return servers;
  }

  public List<RedisProcess> sentinels() {
    return sentinels;
  }

  /** {@code host:port,host:port…} of the sentinels. */
  public String addresses() {
    return sentinels.stream()
        .map(sentinel -> "127.0.0.1:" + sentinel.port())
        .collect(Collectors.joining(","));
  }

  /** {@code redis-sentinel://…#mymaster} */
  public String url() {
    return "redis-sentinel://" + addresses() + "#" + MASTER;
  }

  @Override
  public void close() {
    Stream.concat(sentinels.stream(), servers.stream()).forEach(RedisProcess::close);
  }
}
