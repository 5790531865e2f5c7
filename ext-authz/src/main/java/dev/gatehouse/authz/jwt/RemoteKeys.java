package dev.gatehouse.authz.jwt;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys that an identity provider publishes, cached. They are fetched again before they are out of date, each replica at a time of
 * its own; while that fails the old ones serve on for {@link #STALE}, and it is tried less and less often, down to once in
 * {@link #MAX_BACK_OFF}. However many ask, there is one fetch at a time.
 *
 * <p><b>A kid that the set has not</b> is a rotation or nonsense, and only a fetch that begins after the token came can tell. So:
 *
 * <ul>
 *   <li>A kid never asked about causes a fetch, unless another such kid did within {@link #COOL_DOWN}: a stream of random kids causes
 *       one fetch a cool-down. Fetches of the schedule, or for kids asked about before, do not spend that chance: a rotation right
 *       behind them is found at once.
 *   <li>A kid that a later fetch did not bring is known to be unknown: refused (401) without another fetch for {@link #COOL_DOWN}.
 *       After that it may cause one where there was none at all for a cool-down. Not longer, because some providers sign with a
 *       key a moment before they publish it.
 *   <li>A kid for which no fetch may begin yet is nobody's to judge: "cannot decide" (503), never 401, which would tell a good
 *       client to throw its token away. The fetch begins by itself when the cool-down or the back-off is over.
 * </ul>
 *
 * So a rotation gets no valid token a 401 if its key was published before it was used. Without a flood it gets no 503 either while
 * the provider answers in time; under one, for {@link #COOL_DOWN}, a second and a fetch at most; with the provider down, until
 * that much ({@link #MAX_BACK_OFF} instead of the cool-down) after it is back. The price: of a flood of random kids most get a 503.
 * Whoever guesses a kid that is yet to come makes it 401 for one cool-down at most.
 */
final class RemoteKeys implements KeySource, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteKeys.class);

  /** Between the beginnings of fetches that kids cause, and after a fetch that failed. */
  static final Duration COOL_DOWN = Duration.ofSeconds(5);

  /** Between attempts while the provider fails. */
  static final Duration MAX_BACK_OFF = Duration.ofSeconds(30);

  /** How long keys serve on behind their lifetime while the provider does not answer. */
  static final Duration STALE = Duration.ofHours(1);

  /** Of kids asked about; the least asked for are forgotten. */
  private static final int MAX_KIDS_WEIGHT = 256 << 10;

  private static final int KID_WEIGHT = 128;

  private static final Keys AWAITED = new Keys.Awaited();

  private final KeyAddress address;
  private final @Nullable Discovery discovery;
  private final Lifetime lifetime;
  private final KeyFetcher http;
  private final Executor io;
  private final InstantSource clock;
  private final DoubleSupplier random;

  /** Kid → the number of fetches that had begun when it was first asked about. */
  private final Cache<String, Long> kids = Caffeine.newBuilder()
      .maximumWeight(MAX_KIDS_WEIGHT)
      .weigher((String kid, Long _) -> KID_WEIGHT + 2 * kid.length())
      .executor(Runnable::run)
      .build();

  private final AtomicReference<@Nullable CompletableFuture<Void>> flight = new AtomicReference<>();
  private volatile State state = State.NOTHING;

  /** Written by whoever holds the flight. */
  private volatile Begun begun = new Begun(0, Instant.MIN, Instant.MIN);

  /** The last line of a failure that is not over; for the holder of the flight. */
  private @Nullable String said;

  private volatile boolean newKidWaits;
  private volatile boolean knownKidWaits;
  private volatile boolean closed;

  /**
   * @param io where fetches begin, and what they bring is read
   * @param random from 0 to 1, for jitter
   */
  RemoteKeys(
      KeyAddress address,
      Duration cacheDuration,
      KeyFetcher http,
      Executor io,
      InstantSource clock,
      DoubleSupplier random) {
    this.address = address;
    this.lifetime = new Lifetime(cacheDuration);
    this.http = http;
    this.io = io;
    this.clock = clock;
    this.random = random;
    this.discovery = switch (address) {
      case KeyAddress.At _ -> null;
      case KeyAddress.DiscoveredBy issuer -> new Discovery(issuer, lifetime, http, clock);
    };
  }

  /**
   * @param known the last good set
   * @param document what it was read from
   * @param fetch which fetch brought it
   * @param asOf when that fetch began
   * @param refresh when to fetch again
   * @param until when it can no longer be used
   * @param failures since then
   * @param retry not earlier; {@link Instant#MIN} if the last fetch did not fail
   * @param failed why the last fetch brought nothing; null if it did not fail
   */
  private record State(
      Keys.@Nullable Known known,
      @Nullable Fetched document,
      long fetch,
      Instant asOf,
      Instant refresh,
      Instant until,
      int failures,
      Instant retry,
      Keys.@Nullable Failed failed) {
    static final State NOTHING =
        new State(null, null, 0, Instant.MIN, Instant.MIN, Instant.MIN, 0, Instant.MIN, null);
  }

  /**
   * @param fetches ever
   * @param last when
   * @param lastForNewKid when one was, for a kid never asked about
   */
  private record Begun(long fetches, Instant last, Instant lastForNewKid) {}

  private enum Cause {
    SCHEDULE,
    NEW_KID,
    KNOWN_KID
  }

  @Override
  public Keys keys(Instant now) {
    var seen = state;
    if (seen.known != null && now.isBefore(seen.until)) {
      return seen.known;
    }
    if (seen.failed == null || !now.isBefore(seen.retry) || flight.get() != null) {
      return AWAITED;
    }
    return seen.failed;
  }

  @Override
  public OnUnknownKid onUnknownKid(KeySet looked, CompactJws token, Instant now) {
    long asked = kids.get(name(token), _ -> begun.fetches);
    var seen = state;
    if (seen.known == null || seen.known.set() != looked) {
      return OnUnknownKid.FETCH; // there are newer keys than those that were looked at
    }
    boolean knownToBeUnknown = seen.fetch > asked;
    if (knownToBeUnknown && now.isBefore(seen.asOf.plus(COOL_DOWN))) {
      return OnUnknownKid.REFUSE;
    }
    if (flight.get() != null) {
      return OnUnknownKid.FETCH; // which may answer it
    }
    if (knownToBeUnknown) {
      knownKidWaits = true;
    } else {
      newKidWaits = true;
    }
    return due(now) == null ? OnUnknownKid.UNSURE : OnUnknownKid.FETCH;
  }

  /** The kid, or for a token without one what no kid's reader takes for one's own: a key of its algorithm is wanted. */
  private static String name(CompactJws token) {
    var kid = token.kid();
    return kid == null ? "\n" + token.algorithm() : kid;
  }

  @Override
  public CompletableFuture<Void> fetch() {
    var running = flight.get();
    if (running != null) {
      return running;
    }
    if (closed || due(clock.instant()) == null) {
      return CompletableFuture.completedFuture(null);
    }
    var mine = new CompletableFuture<Void>();
    running = flight.compareAndExchange(null, mine);
    if (running != null) {
      return running;
    }
    var now = clock.instant();
    var cause = due(now);
    if (closed || cause == null) {
      land(mine); // another fetch ended between the first look and now
    } else {
      begin(mine, cause, now);
    }
    return mine;
  }

  /** Fetches if it is time: called now and then. */
  void refreshIfDue() {
    var _ = fetch();
  }

  /** The fetch that is under way; complete if there is none. */
  CompletableFuture<Void> underWay() {
    var running = flight.get();
    return running == null ? CompletableFuture.completedFuture(null) : running;
  }

  /** Whether the last fetch failed. */
  boolean failing() {
    return state.failed != null;
  }

  /** Lets everybody go who waits, and fetches no more. */
  @Override
  public void close() {
    closed = true;
    var running = flight.get();
    if (running != null) {
      running.complete(null);
    }
  }

  /** Why a fetch may begin now; null if none may. */
  private @Nullable Cause due(Instant now) {
    var seen = state;
    if (now.isBefore(seen.retry)) {
      return null;
    }
    if (!now.isBefore(seen.refresh)) {
      return Cause.SCHEDULE;
    }
    var last = begun;
    if (newKidWaits && rested(last.lastForNewKid, now)) {
      return Cause.NEW_KID;
    }
    return knownKidWaits && rested(last.last, now) ? Cause.KNOWN_KID : null;
  }

  private void begin(CompletableFuture<Void> mine, Cause cause, Instant now) {
    // In this order: whoever asks about a kid from here on is not answered by this fetch.
    boolean afresh = newKidWaits || knownKidWaits;
    newKidWaits = false;
    knownKidWaits = false;
    var last = begun;
    long number = last.fetches + 1;
    begun = new Begun(number, now, cause == Cause.NEW_KID ? now : last.lastForNewKid);
    try {
      var _ = CompletableFuture.runAsync(() -> {}, io)
          .thenCompose(_ -> locate())
          .thenCompose(uri -> http.get(uri, state.document, afresh))
          .handle((document, error) -> {
            landed(document, error, number, now);
            newKidWaits |= afresh && state.failed != null;
            land(mine);
            return null;
          });
    } catch (RejectedExecutionException e) {
      land(mine); // closed
    }
  }

  private CompletableFuture<URI> locate() {
    return switch (address) {
      case KeyAddress.At(var uri) -> CompletableFuture.completedFuture(uri);
      case KeyAddress.DiscoveredBy _ -> Objects.requireNonNull(discovery).keys();
    };
  }

  private void land(CompletableFuture<Void> mine) {
    flight.set(null);
    mine.complete(null);
  }

  private void landed(
      @Nullable Fetched document, @Nullable Throwable error, long number, Instant asked) {
    try {
      state = document != null
          ? arrived(document, number, asked)
          : failed(reason(Objects.requireNonNull(error)));
    } catch (BadKeySet e) {
      state = failed("it is no usable key set: " + e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("keys of {} could not be read", address, e);
      state = failed(e.getClass().getSimpleName());
    }
  }

  private State arrived(Fetched document, long number, Instant asked) throws BadKeySet {
    var before = state;
    var known = before.known;
    if (known == null || before.document == null || !sameText(before.document, document)) {
      known = read(document);
    } else if (before.failed != null) {
      LOG.info("keys of {} can be had again, and are the same", address);
    }
    said = null;
    var fresh = lifetime.of(document.lifetime());
    long refresh = (long) (fresh.toMillis() * (0.7 + 0.2 * random.getAsDouble()));
    return new State(
        known,
        document,
        number,
        asked,
        asked.plusMillis(Math.max(refresh, COOL_DOWN.toMillis())),
        asked.plus(fresh).plus(STALE),
        0,
        Instant.MIN,
        null);
  }

  private static boolean sameText(Fetched one, Fetched other) {
    return one.text().equals(other.text());
  }

  private Keys.Known read(Fetched document) throws BadKeySet {
    var set = KeySet.parse(document.text());
    LOG.info(
        "keys of {} are new{}",
        address,
        set.leftOut().isEmpty() ? "" : ", left out: " + set.leftOut());
    return new Keys.Known(set);
  }

  private State failed(String why) {
    if (discovery != null) {
      discovery.doubt();
    }
    var before = state;
    var now = clock.instant();
    int failures = Math.min(before.failures + 1, 16);
    say(why, before.known != null && now.isBefore(before.until));
    return new State(
        before.known,
        before.document,
        before.fetch,
        before.asOf,
        Instant.MIN,
        before.until,
        failures,
        now.plus(backOff(failures)),
        new Keys.Failed(why));
  }

  /** Once for each change, not for each attempt. */
  private void say(String why, boolean serves) {
    var line = why + (serves ? "; the old ones serve on" : "; requests of this provider get 503");
    if (!line.equals(said)) {
      said = line;
      LOG.warn("keys of {} could not be had: {}", address, line);
    }
  }

  private Duration backOff(int failures) {
    long most = Math.min(COOL_DOWN.toMillis() << (failures - 1), MAX_BACK_OFF.toMillis());
    long jittered = (long) (most * (0.75 + 0.25 * random.getAsDouble()));
    return Duration.ofMillis(Math.max(jittered, COOL_DOWN.toMillis()));
  }

  private static boolean rested(Instant last, Instant now) {
    return last.equals(Instant.MIN) || !now.isBefore(last.plus(COOL_DOWN));
  }

  /** The message of what went wrong, without what futures wrap around it. */
  static String reason(Throwable error) {
    var cause = error;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
