package dev.gatehouse.authz.jwt;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys that an identity provider publishes, cached. They are fetched again before they are out of date; while that fails the old
 * ones serve on for {@link #STALE}. However many ask, there is one fetch at a time, and none within {@link #COOL_DOWN} of the
 * last: a stream of random {@code kid}s is no amplifier.
 */
final class RemoteKeys implements KeySource {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteKeys.class);

  /** Between the end of a fetch and the beginning of another. */
  static final Duration COOL_DOWN = Duration.ofSeconds(5);

  /** How long keys serve on behind their cache duration while the provider does not answer. */
  static final Duration STALE = Duration.ofHours(1);

  private static final Keys AWAITED = new Keys.Awaited();

  private final URI uri;
  private final Duration cacheDuration;
  private final Function<URI, CompletableFuture<String>> http;
  private final InstantSource clock;
  private final AtomicReference<@Nullable CompletableFuture<Void>> flight = new AtomicReference<>();
  private volatile State state = new State(null, "", Instant.MIN, Instant.MIN, Instant.MIN, null);

  /** @param http gets a text, bounded in size and time */
  RemoteKeys(
      URI uri,
      Duration cacheDuration,
      Function<URI, CompletableFuture<String>> http,
      InstantSource clock) {
    this.uri = uri;
    this.cacheDuration = cacheDuration;
    this.http = http;
    this.clock = clock;
  }

  /**
   * @param known the last good set
   * @param text what it was read from
   * @param fetched when it came
   * @param until when it can no longer be used
   * @param tried when the last fetch ended
   * @param failed why the last fetch brought nothing; null if it did not fail
   */
  private record State(
      Keys.@Nullable Known known,
      String text,
      Instant fetched,
      Instant until,
      Instant tried,
      @Nullable String failed) {}

  @Override
  public Keys keys(Instant now) {
    var seen = state;
    if (seen.known != null && now.isBefore(seen.until)) {
      return seen.known;
    }
    if (seen.failed == null || rested(seen, now) || flight.get() != null) {
      return AWAITED;
    }
    return new Keys.Failed(seen.failed);
  }

  @Override
  public OnUnknownKid onUnknownKid(Instant now) {
    var seen = state;
    if (rested(seen, now) || flight.get() != null) {
      return OnUnknownKid.FETCH;
    }
    return seen.failed == null ? OnUnknownKid.REFUSE : OnUnknownKid.UNSURE;
  }

  @Override
  public CompletableFuture<Void> fetch() {
    var mine = new CompletableFuture<Void>();
    var running = flight.compareAndExchange(null, mine);
    if (running != null) {
      return running;
    }
    if (!rested(state, clock.instant())) {
      land(mine); // another fetch ended between the caller's look and now
      return mine;
    }
    var _ = http.apply(uri).handle((text, error) -> {
      state = error == null ? arrived(text) : failed(state, reason(error));
      land(mine);
      return null;
    });
    return mine;
  }

  /** Fetches if the keys are soon out of date: called now and then. */
  void refreshIfDue() {
    var seen = state;
    var now = clock.instant();
    boolean due = seen.known == null
        || !now.isBefore(seen.fetched.plus(cacheDuration.multipliedBy(4).dividedBy(5)));
    if (due && rested(seen, now)) {
      var _ = fetch();
    }
  }

  /** The fetch that is under way; complete if there is none. */
  CompletableFuture<Void> underWay() {
    var running = flight.get();
    return running == null ? CompletableFuture.completedFuture(null) : running;
  }

  private void land(CompletableFuture<Void> mine) {
    flight.set(null);
    mine.complete(null);
  }

  private State arrived(String text) {
    var before = state;
    var now = clock.instant();
    if (before.known != null && before.text.equals(text)) {
      return new State(before.known, text, now, until(now), now, null);
    }
    try {
      var set = KeySet.parse(text);
      LOG.info(
          "keys of {} are new{}",
          uri,
          set.leftOut().isEmpty() ? "" : ", left out: " + set.leftOut());
      return new State(new Keys.Known(set), text, now, until(now), now, null);
    } catch (BadKeySet e) {
      return failed(before, "it is no usable key set: " + e.getMessage());
    }
  }

  private State failed(State before, String why) {
    LOG.warn(
        "keys of {} could not be had: {}; {}",
        uri,
        why,
        before.known == null
            ? "requests of this provider are answered 503"
            : "those of " + before.fetched + " serve on");
    return new State(before.known, before.text, before.fetched, before.until, clock.instant(), why);
  }

  private Instant until(Instant fetched) {
    return fetched.plus(cacheDuration).plus(STALE);
  }

  private static boolean rested(State seen, Instant now) {
    return seen.tried.equals(Instant.MIN) || !now.isBefore(seen.tried.plus(COOL_DOWN));
  }

  private static String reason(Throwable error) {
    var cause = error.getCause() == null ? error : error.getCause();
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
