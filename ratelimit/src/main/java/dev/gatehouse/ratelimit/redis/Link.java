package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.ArrayOutput;
import io.lettuce.core.protocol.CommandType;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One event loop's way to Redis: which server holds a key. Without a cluster there is one {@link Node} for all; in a cluster there is one a
 * master, and a table of slots, read anew every {@link #REFRESH_EVERY}, and at once when a node sends a command elsewhere or goes away.
 * Everything but {@code volatile} is the loop's own.
 *
 * <p>The clock of a cluster is that of the master which holds slot 0, on which all replicas of this service agree. When the slot moves to a
 * machine whose clock differs, windows shift by the difference, once.
 */
final class Link implements Node.Watcher {
  private static final Duration REFRESH_EVERY = Duration.ofSeconds(10);

  /** While a master is away: its replica takes over within some seconds. */
  private static final Duration REFRESH_IN_TROUBLE = Duration.ofMillis(500);

  private static final Duration REFRESH_AT_MOST_EVERY = Duration.ofMillis(50);

  /** A node that holds no slot is kept that long after a command was sent there: slots are on their way to it. */
  private static final Duration KEEP_UNUSED = Duration.ofSeconds(60);

  private final EventLoop loop;
  private final Clients.OfLoop clients;
  private final RedisClock clock;
  private final Duration timeout;
  private final Topology topology;
  private final CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();

  /** Of a cluster: those that it has, or that we were told of, and when. */
  private final Map<HostPort, Node> nodes = new HashMap<>();

  private final Map<HostPort, Long> sentTo = new HashMap<>();

  /** Who holds each slot; one entry alone where there is no cluster. */
  private final Node[] holders;

  /** All that hold a slot, none twice. */
  private volatile List<Node> masters = List.of();

  private volatile boolean closed;
  private long refreshedAt = System.nanoTime() - REFRESH_AT_MOST_EVERY.toNanos();
  private boolean refreshPlanned;
  private long plannedAt;
  private @Nullable Slots refreshing;

  Link(
      EventLoop loop,
      Clients.OfLoop clients,
      Topology topology,
      Duration timeout,
      RedisClock clock) {
    this.loop = loop;
    this.clients = clients;
    this.topology = topology;
    this.timeout = timeout;
    this.clock = clock;
    this.holders = new Node[topology instanceof Topology.Cluster ? SlotHash.SLOT_COUNT : 1];
    Arrays.fill(
        holders,
        new Node("nowhere", loop, CompletableFuture::new, timeout, clients.outages(), this));
  }

  /** Begins to connect. Call on the loop. */
  void start() {
    switch (topology) {
      case Topology.Single(var at) -> {
        var only = node(at.toString(), () -> clients.connect(at));
        holders[0] = only;
        masters = List.of(only);
        only.connect();
      }
      case Topology.Sentinel sentinel -> {
        var master = node(sentinel.master(), () -> clients.connect(sentinel));
        holders[0] = master;
        masters = List.of(master);
        master.connect();
      }
      case Topology.Cluster(var seeds) -> {
        seeds.forEach(this::nodeAt);
        refreshFromNowOn();
      }
    }
  }

  EventLoop eventLoop() {
    return loop;
  }

  /** The slot of a key, by the part between its first braces where it has some; 0 without a cluster. */
  int slot(byte[] key) {
    return holders.length == 1 ? 0 : SlotHash.getSlot(key);
  }

  /** Who holds the slot now; one that refuses everything where that is not known. */
  Node holder(int slot) {
    return holders[slot];
  }

  /** Who holds the key now. */
  Node holder(byte[] key) {
    return holders[slot(key)];
  }

  /** Whether a command for any key could be sent now. Any thread may ask. */
  boolean available() {
    var all = masters;
    if (all.isEmpty() || closed) {
      return false;
    }
    for (var node : all) {
      if (!node.available()) {
        return false;
      }
    }
    return true;
  }

  /** Ends when every server is connected and Redis's clock is known. */
  CompletableFuture<@Nullable Void> ready() {
    return ready;
  }

  @Override
  public void toldTime(Node node, long redisMillis, long roundTripNanos) {
    if (node == holders[0]) {
      clock.sampled(redisMillis, roundTripNanos);
    }
    readyIfAllIsThere();
  }

  private void readyIfAllIsThere() {
    if (clock.known() && available()) {
      ready.complete(null);
    }
  }

  @Override
  public void connected(Node node) {
    readyIfAllIsThere();
    if (topology instanceof Topology.Cluster && masters.isEmpty()) {
      refreshSoon(Duration.ZERO);
    }
  }

  @Override
  public void away(Node node) {
    if (topology instanceof Topology.Cluster) {
      refreshSoon(REFRESH_IN_TROUBLE);
    }
  }

  @Override
  public boolean redirect(Node node, Sent<?> command, String error) {
    if (!(topology instanceof Topology.Cluster)) {
      return false;
    }
    if (error.startsWith("CLUSTERDOWN")) {
      refreshSoon(REFRESH_IN_TROUBLE);
      return false;
    }
    var redirect = Redirect.parse(error);
    if (redirect == null) {
      return false;
    }
    var host = redirect.host().isEmpty() ? hostOf(node) : redirect.host();
    var to = new HostPort(host, redirect.port());
    var target = nodeAt(to);
    sentTo.put(to, System.nanoTime());
    if (!redirect.asking()) {
      holders[redirect.slot()] = target;
      refreshSoon(Duration.ZERO);
    }
    target.forward(command, redirect.asking());
    return true;
  }

  private String hostOf(Node node) {
    for (var entry : nodes.entrySet()) {
      if (entry.getValue() == node) {
        return entry.getKey().host();
      }
    }
    return "";
  }

  /** The node there; a new one begins to connect. */
  private Node nodeAt(HostPort at) {
    var known = nodes.get(at);
    if (known != null) {
      return known;
    }
    var fresh = node(at.toString(), () -> clients.connect(at));
    nodes.put(at, fresh);
    fresh.connect();
    return fresh;
  }

  private Node node(
      String name, Supplier<CompletionStage<StatefulRedisConnection<byte[], byte[]>>> connector) {
    return new Node(name, loop, connector, timeout, clients.outages(), this);
  }

  private void refreshFromNowOn() {
    if (closed) {
      return;
    }
    refresh();
    long jitter = ThreadLocalRandom.current().nextLong(REFRESH_EVERY.toMillis() / 5);
    var _ = loop.schedule(
        this::refreshFromNowOn, REFRESH_EVERY.toMillis() + jitter, TimeUnit.MILLISECONDS);
  }

  /** In so long, unless it is to be sooner anyway. */
  private void refreshSoon(Duration after) {
    long now = System.nanoTime();
    long at = Math.max(now + after.toNanos(), refreshedAt + REFRESH_AT_MOST_EVERY.toNanos());
    if (closed || (refreshPlanned && plannedAt - at <= 0)) {
      return;
    }
    refreshPlanned = true;
    plannedAt = at;
    var _ = loop.schedule(
        () -> {
          if (refreshPlanned && plannedAt == at) {
            refreshPlanned = false;
            refresh();
          }
        },
        at - now,
        TimeUnit.NANOSECONDS);
  }

  /** Asks one of the nodes that answer. */
  private void refresh() {
    if (closed) {
      return;
    }
    var answering = nodes.values().stream().filter(Node::available).toList();
    if (answering.isEmpty()) {
      // All that are known are away: perhaps the seeds' names lead elsewhere by now.
      if (topology instanceof Topology.Cluster(var seeds)) {
        seeds.forEach(this::nodeAt);
      }
      return;
    }
    refreshedAt = System.nanoTime();
    var question = new Slots();
    refreshing = question;
    var any = answering.get(ThreadLocalRandom.current().nextInt(answering.size()));
    question.asked = any;
    any.send(List.of(question));
  }

  /** {@code [from, to, [host, port, …], replica…]} each. */
  private void apply(List<?> ranges, Node speaker) {
    var current = new HashSet<HostPort>();
    for (var range : ranges) {
      if (!(range instanceof List<?> parts
          && parts.size() >= 3
          && parts.get(0) instanceof Long from
          && parts.get(1) instanceof Long to
          && parts.get(2) instanceof List<?> master
          && master.size() >= 2
          && master.get(1) instanceof Long port)) {
        continue;
      }
      var host =
          master.get(0) instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
      var at = new HostPort(
          host.isEmpty() || host.equals("?") ? hostOf(speaker) : host, port.intValue());
      current.add(at);
      Arrays.fill(holders, from.intValue(), to.intValue() + 1, nodeAt(at));
    }
    if (current.isEmpty()) {
      return;
    }
    retire(current);
    masters = current.stream().map(this::nodeAt).toList();
    if (!clock.known()) {
      holders[0].ask();
    }
    readyIfAllIsThere();
    if (!available()) {
      refreshSoon(REFRESH_IN_TROUBLE);
    }
  }

  /** Closes those that hold nothing any more. */
  private void retire(Set<HostPort> current) {
    long now = System.nanoTime();
    sentTo.values().removeIf(at -> now - at > KEEP_UNUSED.toNanos());
    var past = nodes.keySet().stream()
        .filter(at -> !current.contains(at) && !sentTo.containsKey(at))
        .toList();
    for (var at : past) {
      var node = nodes.remove(at);
      if (node != null) {
        node.hangUpForGood();
        clients.outages().forget(node.toString());
      }
    }
  }

  /** Whoever made the connections ends them. Any thread may call it. */
  void close() {
    closed = true;
    loop.execute(() -> {
      nodes.values().forEach(Node::leave);
      holders[0].leave();
    });
  }

  /** The question who holds what. */
  private final class Slots extends Sent<List<Object>> {
    private @Nullable Node asked;

    Slots() {
      super(
          CommandType.CLUSTER,
          new ArrayOutput<>(ByteArrayCodec.INSTANCE),
          args().add("SLOTS"));
    }

    @Override
    void answered(@Nullable List<Object> ranges) {
      if (refreshing == this && ranges != null && asked != null) {
        refreshing = null;
        apply(ranges, asked);
      }
    }

    @Override
    void refused(String error) {
      refreshSoon(REFRESH_IN_TROUBLE);
    }

    @Override
    void lost() {
      refreshSoon(REFRESH_IN_TROUBLE);
    }
  }
}
