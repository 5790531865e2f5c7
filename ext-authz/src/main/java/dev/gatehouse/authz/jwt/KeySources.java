package dev.gatehouse.authz.jwt;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.gatehouse.server.tls.ClientTls;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleSupplier;

/**
 * All verifiers and key sources of this process. They outlive a reload of the policies, so that an edit fetches and verifies
 * nothing again, and last as long as a plan that names them.
 */
public final class KeySources implements AutoCloseable {
  private static final int THREADS = 8;

  private record Remote(KeyAddress address, Duration cacheDuration, ClientTls tls) {}

  private record Asked(KeySource keys, Requirements requirements) {}

  private final Cache<String, LocalKeys> locals =
      Caffeine.newBuilder().weakValues().build();
  private final Cache<Remote, RemoteKeys> remotes =
      Caffeine.newBuilder().weakValues().build();
  private final Cache<ClientTls, KeyFetcher> fetchers =
      Caffeine.newBuilder().weakValues().build();
  private final Cache<Asked, Verifier> verifiers =
      Caffeine.newBuilder().weakValues().build();
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private final ScheduledExecutorService timer;
  private final ExecutorService io;
  private final Duration answerWithin;
  private final Duration tick;
  private final DoubleSupplier random;
  private final InstantSource clock;

  public KeySources(InstantSource clock) {
    this(
        clock,
        KeyFetcher.ANSWER_WITHIN,
        Duration.ofSeconds(1),
        () -> ThreadLocalRandom.current().nextDouble());
  }

  /**
   * @param tick how often to look whether a fetch is due
   * @param random from 0 to 1, for jitter
   */
  KeySources(InstantSource clock, Duration answerWithin, Duration tick, DoubleSupplier random) {
    this.clock = clock;
    this.tick = tick;
    this.random = random;
    this.timer = Executors.newSingleThreadScheduledExecutor(
        Thread.ofPlatform().daemon().name("gatehouse-key-refresh").factory());
    this.answerWithin = answerWithin;
    // Nothing waits on these but for a name server; no more wait in the queue than there are
    // fetches.
    var io = new ThreadPoolExecutor(
        THREADS,
        THREADS,
        10,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        Thread.ofPlatform().daemon().name("gatehouse-key-fetch-", 0).factory());
    io.allowCoreThreadTimeOut(true);
    this.io = io;
  }

  public Verifier verifier(KeySource keys, Requirements requirements) {
    return verifiers.get(new Asked(keys, requirements), _ -> new Verifier(keys, requirements));
  }

  /** @throws BadKeySet if the text is no usable key set */
  public KeySource local(String json) throws BadKeySet {
    var known = locals.getIfPresent(json);
    if (known != null) {
      return known;
    }
    var read = new LocalKeys(new Keys.Known(KeySet.parse(json)));
    locals.put(json, read);
    return read;
  }

  /**
   * Begins to fetch the keys at once, and keeps them fresh.
   *
   * @param cacheDuration how old they may get, and get where the provider does not ask for less
   * @throws dev.gatehouse.server.tls.TlsException if the certificates cannot be used
   */
  public KeySource remote(KeyAddress address, Duration cacheDuration, ClientTls tls) {
    if (refreshing.compareAndSet(false, true)) {
      var _ = timer.scheduleWithFixedDelay(
          this::refresh, tick.toMillis(), tick.toMillis(), TimeUnit.MILLISECONDS);
    }
    var keys = remotes.get(
        new Remote(address, cacheDuration, tls),
        remote -> new RemoteKeys(
            address,
            cacheDuration,
            fetchers.get(tls, t -> new KeyFetcher(t, io, answerWithin)),
            io,
            clock,
            random));
    keys.refreshIfDue();
    return keys;
  }

  /** Done when every fetch that is under way is over. */
  public CompletableFuture<Void> settled() {
    return CompletableFuture.allOf(remotes.asMap().values().stream()
        .map(RemoteKeys::underWay)
        .toArray(CompletableFuture[]::new));
  }

  /** How many providers' last fetch failed, for metrics. */
  public long failing() {
    return remotes.asMap().values().stream().filter(RemoteKeys::failing).count();
  }

  void refresh() {
    remotes.asMap().values().forEach(RemoteKeys::refreshIfDue);
  }

  @Override
  public void close() {
    timer.shutdownNow();
    remotes.asMap().values().forEach(RemoteKeys::close);
    fetchers.asMap().values().forEach(KeyFetcher::close);
    io.shutdownNow();
  }
}
