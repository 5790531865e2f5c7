package dev.gatehouse.authz.jwt;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * All verifiers and key sources of this process. They outlive a reload of the policies, so that an edit fetches and verifies
 * nothing again, and last as long as a plan that names them.
 */
public final class KeySources implements AutoCloseable {
  private record Remote(URI uri, Duration cacheDuration) {}

  private record Asked(KeySource keys, Requirements requirements) {}

  private final Cache<String, LocalKeys> locals =
      Caffeine.newBuilder().weakValues().build();
  private final Cache<Remote, RemoteKeys> remotes =
      Caffeine.newBuilder().weakValues().build();
  private final Cache<Asked, Verifier> verifiers =
      Caffeine.newBuilder().weakValues().build();
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private final ScheduledExecutorService timer;
  private final ExecutorService io;
  private final KeyFetcher http;
  private final InstantSource clock;

  public KeySources(InstantSource clock) {
    this(clock, KeyFetcher.ANSWER_WITHIN);
  }

  KeySources(InstantSource clock, Duration answerWithin) {
    this.clock = clock;
    this.timer = Executors.newSingleThreadScheduledExecutor(
        Thread.ofPlatform().daemon().name("gatehouse-key-refresh").factory());
    this.io = Executors.newFixedThreadPool(
        2, Thread.ofPlatform().daemon().name("gatehouse-key-fetch-", 0).factory());
    this.http = new KeyFetcher(io, answerWithin);
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

  /** Begins to fetch the keys at once, and keeps them fresh. */
  public KeySource remote(URI uri, Duration cacheDuration) {
    if (refreshing.compareAndSet(false, true)) {
      var _ = timer.scheduleWithFixedDelay(this::refresh, 1, 1, TimeUnit.SECONDS);
    }
    var keys = remotes.get(
        new Remote(uri, cacheDuration),
        remote -> new RemoteKeys(remote.uri, remote.cacheDuration, http, clock));
    keys.refreshIfDue();
    return keys;
  }

  /** Done when every fetch that is under way is over. */
  public CompletableFuture<Void> settled() {
    return CompletableFuture.allOf(remotes.asMap().values().stream()
        .map(RemoteKeys::underWay)
        .toArray(CompletableFuture[]::new));
  }

  void refresh() {
    remotes.asMap().values().forEach(RemoteKeys::refreshIfDue);
  }

  @Override
  public void close() {
    timer.shutdownNow();
    http.close();
    io.shutdownNow();
  }
}
