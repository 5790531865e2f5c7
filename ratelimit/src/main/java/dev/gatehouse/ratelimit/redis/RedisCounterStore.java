package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Hit;
import io.lettuce.core.RedisURI;
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
 * Reason#NOT_CONNECTED} at once; nothing is queued for later, and nothing is sent twice.
 */
public final class RedisCounterStore implements CounterStore {
  private static final Duration WARM_UP = Duration.ofSeconds(2);

  private final RedisClock clock;
  private final Clients clients;
  private final List<RedisLoop> loops;
  private final FastThreadLocal<RedisLoop> current = new FastThreadLocal<>();

  private RedisCounterStore(RedisClock clock, Clients clients, List<RedisLoop> loops) {
    this.clock = clock;
    this.clients = clients;
    this.loops = loops;
  }

  /**
   * Begins to connect and does not wait for it.
   *
   * @param url {@code redis://…}, {@code rediss://…} or {@code host:port}
   * @param keyPrefix before every key
   * @param timeout after which a hit is answered {@link Reason#TIMEOUT}
   * @param loops those that hits come on
   * @param local the local wall clock, which need not be right
   * @throws IllegalArgumentException if the URL is none; the message does not repeat it, since it may hold a password
   */
  public static RedisCounterStore start(
      String url, String keyPrefix, Duration timeout, List<EventLoop> loops, InstantSource local) {
    var uri = uri(url);
    var clock = new RedisClock(local);
    var clients = new Clients(uri);
    var redisLoops = loops.stream()
        .map(loop -> new RedisLoop(loop, new Keys(keyPrefix), timeout, clock))
        .toList();
    var store = new RedisCounterStore(clock, clients, redisLoops);
    for (var loop : redisLoops) {
      loop.eventLoop().execute(() -> store.current.set(loop));
      clients.connect(loop);
    }
    return store;
  }

  private static RedisURI uri(String url) {
    var full = url.contains("://") ? url : "redis://" + url;
    if (!full.startsWith("redis://") && !full.startsWith("rediss://")) {
      throw new IllegalArgumentException(
          "the Redis URL begins with \"" + full.substring(0, full.indexOf("://"))
              + "://\" (expected: redis://host:port, rediss://host:port or host:port)");
    }
    try {
      return RedisURI.create(full);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the Redis URL cannot be read (expected: redis://[user:password@]host:port[/database],"
              + " rediss://… or host:port; special characters of a password percent-encoded)");
    }
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
        loops.stream().map(RedisLoop::ready).toArray(CompletableFuture<?>[]::new));
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
    return clock.known() && loops.stream().allMatch(RedisLoop::connected);
  }

  @Override
  public void close() {
    loops.forEach(RedisLoop::close);
    clients.close();
  }
}
