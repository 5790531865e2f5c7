package dev.gatehouse.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A Redis cluster of a test's own: masters that share the slots evenly, and replicas of the first of them if a test wants some. */
public final class RedisCluster implements AutoCloseable {
  private static final int SLOTS = 16_384;

  private final List<RedisProcess> nodes;
  private final int masters;

  private RedisCluster(List<RedisProcess> nodes, int masters) {
    this.nodes = nodes;
    this.masters = masters;
  }

  /** Takes some two seconds: a master waits so long before it takes writes. */
  public static RedisCluster start(int masters, int replicas) {
    var nodes = new ArrayList<RedisProcess>();
    var cluster = new RedisCluster(nodes, masters);
    try {
      for (int i = 0; i < masters + replicas; i++) {
        nodes.add(RedisProcess.start(
            "--cluster-enabled", "yes",
            "--cluster-config-file", "nodes.conf",
            "--cluster-node-timeout", "1000",
            "--cluster-require-full-coverage", "no",
            "--repl-diskless-sync-delay", "0"));
      }
      cluster.form();
      return cluster;
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private void form() {
    for (int i = 0; i < nodes.size(); i++) {
      nodes.get(i).tell("CLUSTER", "SET-CONFIG-EPOCH", "" + (i + 1));
      if (i < masters) {
        var slots = IntStream.range(SLOTS * i / masters, SLOTS * (i + 1) / masters)
            .mapToObj(Integer::toString);
        nodes
            .get(i)
            .tell(Stream.concat(Stream.of("CLUSTER", "ADDSLOTS"), slots).toArray(String[]::new));
      }
      for (int other = 0; other < i; other++) {
        nodes.get(i).tell("CLUSTER", "MEET", "127.0.0.1", "" + nodes.get(other).port());
      }
    }
    awaitAgreement();
    for (int i = masters; i < nodes.size(); i++) {
      var replica = nodes.get(i);
      replica.tell("CLUSTER", "REPLICATE", id(nodes.getFirst()));
      RedisProcess.await(
          "a replica to follow its master",
          () -> replica.info("master_link_status").equals("up"));
    }
    RedisProcess.await(
        "all nodes to know the replicas",
        () -> nodes.stream().allMatch(node -> count(node, "slave") == nodes.size() - masters));
  }

  private void awaitAgreement() {
    RedisProcess.await(
        "the nodes of the cluster to meet",
        () -> nodes.stream()
            .allMatch(node -> known(node).contains("cluster_state:ok")
                && known(node).contains("cluster_slots_ok:" + SLOTS)
                && count(node, "connected") == nodes.size()));
  }

  private static String known(RedisProcess node) {
    return String.valueOf(node.tell("CLUSTER", "INFO"));
  }

  private static long count(RedisProcess node, String word) {
    return String.valueOf(node.tell("CLUSTER", "NODES"))
        .lines()
        .filter(line -> line.contains(word) && !line.contains("handshake"))
        .count();
  }

  private static String id(RedisProcess node) {
    return String.valueOf(node.tell("CLUSTER", "MYID"));
  }

  /** The masters in the order of their slots, then the replicas. */
  public List<RedisProcess> nodes() {
    return nodes;
  }

  /** {@code host:port,host:port…} of all nodes. */
  public String addresses() {
    return nodes.stream().map(node -> "127.0.0.1:" + node.port()).collect(Collectors.joining(","));
  }

  /** {@code redis-cluster://…} */
  public String url() {
    return "redis-cluster://" + addresses();
  }

  /** The slot of a key, as the first node says. */
  public int slot(String key) {
    return ((Long) Objects.requireNonNull(nodes.getFirst().tell("CLUSTER", "KEYSLOT", key)))
        .intValue();
  }

  /**
   * Moves a slot as an operator does while clients go on: the target imports, the source migrates, its keys follow one by one, and then all
   * are told. Returns when all have heard of each other's epochs: of two owners in one epoch the nodes keep either, and its keys.
   */
  public void move(int slot, RedisProcess from, RedisProcess to) {
    var source = id(from);
    var target = id(to);
    to.tell("CLUSTER", "SETSLOT", "" + slot, "IMPORTING", source);
    from.tell("CLUSTER", "SETSLOT", "" + slot, "MIGRATING", target);
    for (var keys = keys(from, slot); !keys.isEmpty(); keys = keys(from, slot)) {
      for (var key : keys) {
        from.tell("MIGRATE", "127.0.0.1", "" + to.port(), key, "0", "2000");
      }
    }
    to.tell("CLUSTER", "SETSLOT", "" + slot, "NODE", target);
    from.tell("CLUSTER", "SETSLOT", "" + slot, "NODE", target);
    for (int i = 0; i < masters; i++) {
      nodes.get(i).tell("CLUSTER", "SETSLOT", "" + slot, "NODE", target);
    }
    RedisProcess.await(
        "the nodes to agree on a slot",
        () -> nodes.stream().map(RedisCluster::epochs).distinct().count() == 1);
  }

  /** Each node's epoch, as this one knows them. */
  private static List<String> epochs(RedisProcess node) {
    return String.valueOf(node.tell("CLUSTER", "NODES"))
        .lines()
        .map(line -> line.split(" "))
        .map(words -> words[0] + ' ' + words[6])
        .sorted()
        .toList();
  }

  private static List<String> keys(RedisProcess node, int slot) {
    return node.tell("CLUSTER", "GETKEYSINSLOT", "" + slot, "10") instanceof List<?> keys
        ? keys.stream().map(String::valueOf).toList()
        : List.of();
  }

  @Override
  public void close() {
    nodes.forEach(RedisProcess::close);
  }
}
