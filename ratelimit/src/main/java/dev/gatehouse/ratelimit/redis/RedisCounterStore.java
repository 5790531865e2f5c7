package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Counters in Redis, shared by all replicas, on Redis's clock.
 *
 * <p>One client an event loop, whose replies come back on that very loop: no thread waits and none is changed. A hit is {@code INCRBY} and
 * {@code PEXPIRE} in one flush, which is exact, since a fixed window needs no more than each hit's own count; a script would cost 1.6 times
 * as much. The time limit is a queue a loop ({@link Deadlines}); Lettuce's own are off.
 *
 * <p>It starts without a Redis and comes back by itself. While there is none, or it has no clock yet, every hit is answered {@link
 * Reason#NOT_CONNECTED} at once, and {@link Reason#NOT_ANSWERING} while one is there that says nothing; nothing is queued for later, and
 * nothing is sent twice. {@code RedisCounterStore → RedisLoop (what is sent) → Link (to whom) → Node (how it gets there) → Clients}.
 */
public final class RedisCounterStore implements CounterStore {
  private static final Duration WARM_UP = Duration.ofSeconds(2);

  private final RedisClock clock;
  private final Clients clients;
  private final List<RedisLoop> loops;
  private final boolean cluster;
  private final FastThreadLocal<RedisLoop> current = new FastThreadLocal<>();

  private RedisCounterStore(
      RedisClock clock, Clients clients, List<RedisLoop> loops, boolean cluster) {
    this.clock = clock;
    this.clients = clients;
    this.loops = loops;
    this.cluster = cluster;
  }

  /**
   * Begins to connect and does not wait for it.
   *
   * @param loops those that hits come on
   * @param local the local wall clock, which need not be right
   * @throws dev.gatehouse.server.tls.TlsException if certificates are named that cannot be used
   */
  public static RedisCounterStore start(
      RedisSettings settings, List<EventLoop> loops, InstantSource local) {
    var clock = new RedisClock(local);
    var clients = new Clients(settings);
    var redisLoops = loops.stream()
        .map(loop -> {
          var link =
              new Link(loop, clients.of(loop), settings.topology(), settings.timeout(), clock);
          return new RedisLoop(link, new Keys(settings.keyPrefix()), settings.timeout(), clock);
        })
        .toList();
    var store = new RedisCounterStore(
        clock, clients, redisLoops, settings.topology() instanceof Topology.Cluster);
    for (var loop : redisLoops) {
      loop.eventLoop().execute(() -> {
        store.current.set(loop);
        loop.link().start();
      });
    }
    return store;
  }

  @Override
  public long now() {
    return clock.now();
  }

  @Override
  public void apply(List<Hit> hits, long now, Outcome outcome) {
    var loop = current.getIfExists();
    if (loop != null) {
      loop.apply(hits, now, outcome);
      return;
    }
    var any = loops.getFirst();
    any.eventLoop().execute(() -> any.apply(hits, now, outcome));
  }

  @Override
  public void warmUp() {
    var all = CompletableFuture.allOf(
        loops.stream().map(loop -> loop.link().ready()).toArray(CompletableFuture<?>[]::new));
    try {
      all.get(WARM_UP.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // It goes on without: connecting does, too.
      return;
    }
  }

  @Override
  public boolean available() {
    return clock.known() && loops.stream().allMatch(loop -> loop.link().available());
  }

  @Override
  public boolean givesBack() {
    return cluster;
  }

  @Override
  public void close() {
    loops.forEach(loop -> loop.link().close());
    clients.close();
  }
}
