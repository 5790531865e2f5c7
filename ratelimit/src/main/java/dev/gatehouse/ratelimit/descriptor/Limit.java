package dev.gatehouse.ratelimit.descriptor;

import com.google.protobuf.Struct;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.RateLimit;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A limit of the descriptor tree. Immutable. */
public final class Limit {
  /** 96 bits: among a million limits two meet with a probability of 10⁻¹⁷. */
  private static final int ID_BYTES = 12;

  private static final long MAX_UNITS = 1L << 60;

  private final String id;
  private final String metric;
  private final Terms terms;
  private final Bucket bucket;
  private final byte[] currentLimit;
  private final boolean shared;

  private Limit(String id, String metric, boolean shared, Terms terms) {
    this.id = id;
    this.shared = shared;
    this.metric = metric;
    this.terms = terms;
    this.bucket = terms.algorithm() == Algorithm.TOKEN_BUCKET
        ? Objects.requireNonNull(
            Bucket.of(terms.requests(), terms.window().millis(), terms.burst()))
        : Bucket.NONE;
    this.currentLimit = RateLimit.newBuilder()
        .setRequestsPerUnit((int) terms.requests())
        .setUnit(unit(terms.window()))
        .setName(terms.name())
        .build()
        .toByteArray();
  }

  /** The protocol has no word for a window of several units, and Envoy would tell the client one of a single unit. */
  private static RateLimit.Unit unit(Window window) {
    return window.every() == 1 ? window.unit().proto() : RateLimit.Unit.UNKNOWN;
  }

  static Limit of(String domain, List<Step> path, Terms terms) {
    return new Limit(
        identity(domain, path, terms.algorithm()),
        metric(domain, path),
        path.stream().anyMatch(Step::shared),
        terms);
  }

  /**
   * What a limit allows.
   *
   * @param requests how many in a window; 0 denies all, at most 4,294,967,295
   * @param burst how many tokens a {@link Algorithm#TOKEN_BUCKET} holds; 1 or more, and of no meaning to the others
   * @param name as {@code current_limit.name} tells it; empty if it has none
   * @param unlimited matched, and never denied nor counted ({@code unlimited: true})
   * @param shadow counts and judges, but never denies
   * @param quota denies only if every quota limit of the request is over ({@code quota_mode})
   * @param countsDenied also a request that is denied, by this limit or another, is counted, as envoyproxy/ratelimit does; else it
   *     consumes nothing of this limit
   * @param replaces names of limits that do not hold where this one does
   * @param metadata what the answer's dynamic metadata tells of a limit that passed; null if nothing
   * @param answer what the caller sees beside the status; {@link Answer#NONE} if nothing of its own
   * @param overridable how an override in the descriptor ({@code RateLimitDescriptor.limit}) is taken: true changes the number and unit
   *     of this limit; false makes another limit of it, as envoyproxy/ratelimit does
   * @param origin who asked for it, for people: the policy's {@code namespace/name}, or the configuration's name
   */
  public record Terms(
      long requests,
      Window window,
      Algorithm algorithm,
      long burst,
      String name,
      boolean unlimited,
      boolean shadow,
      boolean quota,
      boolean countsDenied,
      OnUnavailable onUnavailable,
      List<String> replaces,
      @Nullable Struct metadata,
      Answer answer,
      boolean overridable,
      String origin) {
    public static final long MAX_REQUESTS = 0xffff_ffffL;

    public Terms {
      if (requests < 0 || requests > MAX_REQUESTS) {
        throw new IllegalArgumentException(
            "requests: " + requests + " (expected: 0 to " + MAX_REQUESTS + ")");
      }
      if (algorithm == Algorithm.TOKEN_BUCKET && !burstFits(requests, window, burst)) {
        throw new IllegalArgumentException("burst: " + burst + " (expected: 1 or more, and burst × "
            + window + " no more than 2^52 units)");
      }
      replaces = List.copyOf(replaces);
    }

    /** A fixed window that counts as envoyproxy/ratelimit does; the rest is said by the builder. */
    public static Builder builder(long requests, Window window, String origin) {
      return new Builder(requests, window, origin);
    }

    public static Terms of(long requests, Unit unit, String origin) {
      return builder(requests, Window.of(unit), origin).build();
    }

    /** Whether a token bucket of that burst can be counted exactly: the burst is 1 or more, and burst × window is no more than 2⁵² units. */
    public static boolean burstFits(long requests, Window window, long burst) {
      return burst >= 1 && Bucket.of(requests, window.millis(), burst) != null;
    }

    /** The burst that was wished for, or the largest that fits: 1 or more. */
    public static long burst(long requests, Window window, long wished) {
      return Math.clamp(wished, 1, Bucket.largestBurst(requests, window.millis()));
    }

    /** The same for what is counted whatever the answer is. */
    Terms countingDenied() {
      return new Builder(this).countsDenied(true).build();
    }

    /** Another number in another window; a burst grows and shrinks with the number. */
    Terms limitedTo(long otherRequests, Window otherWindow) {
      long scaled =
          requests == 0 ? otherRequests : Math.round((double) burst * otherRequests / requests);
      var other = new Builder(this);
      other.requests = otherRequests;
      other.window = otherWindow;
      other.burst = burst(otherRequests, otherWindow, scaled);
      return other.build();
    }

    /** Puts {@link Terms} together. */
    public static final class Builder {
      private long requests;
      private Window window;
      private Algorithm algorithm = Algorithm.FIXED_WINDOW;
      private long burst = 1;
      private String name = "";
      private boolean unlimited;
      private boolean shadow;
      private boolean quota;
      private boolean countsDenied = true;
      private OnUnavailable onUnavailable = OnUnavailable.ERROR;
      private List<String> replaces = List.of();
      private @Nullable Struct metadata;
      private Answer answer = Answer.NONE;
      private boolean overridable;
      private final String origin;

      private Builder(long requests, Window window, String origin) {
        this.requests = requests;
        this.window = window;
        this.origin = origin;
      }

      private Builder(Terms terms) {
        this(terms.requests, terms.window, terms.origin);
        algorithm(terms.algorithm, terms.burst);
        name = terms.name;
        unlimited = terms.unlimited;
        shadow = terms.shadow;
        quota = terms.quota;
        countsDenied = terms.countsDenied;
        onUnavailable = terms.onUnavailable;
        replaces = terms.replaces;
        metadata = terms.metadata;
        answer = terms.answer;
        overridable = terms.overridable;
      }

      /** @param burst of a token bucket; see {@link Terms#burstFits} */
      public Builder algorithm(Algorithm how, long burst) {
        this.algorithm = how;
        this.burst = burst;
        return this;
      }

      public Builder name(String name) {
        this.name = name;
        return this;
      }

      public Builder unlimited(boolean unlimited) {
        this.unlimited = unlimited;
        return this;
      }

      public Builder shadow(boolean shadow) {
        this.shadow = shadow;
        return this;
      }

      public Builder quota(boolean quota) {
        this.quota = quota;
        return this;
      }

      public Builder countsDenied(boolean countsDenied) {
        this.countsDenied = countsDenied;
        return this;
      }

      public Builder onUnavailable(OnUnavailable onUnavailable) {
        this.onUnavailable = onUnavailable;
        return this;
      }

      public Builder replaces(List<String> names) {
        this.replaces = names;
        return this;
      }

      public Builder metadata(@Nullable Struct metadata) {
        this.metadata = metadata;
        return this;
      }

      public Builder answer(Answer answer) {
        this.answer = answer;
        return this;
      }

      public Builder overridable(boolean overridable) {
        this.overridable = overridable;
        return this;
      }

      /** @throws IllegalArgumentException if the number is out of its bounds, or a token bucket's burst does not fit its window */
      public Terms build() {
        return new Terms(
            requests,
            window,
            algorithm,
            burst,
            name,
            unlimited,
            shadow,
            quota,
            countsDenied,
            onUnavailable,
            replaces,
            metadata,
            answer,
            overridable,
            origin);
      }
    }
  }

  /**
   * Which counters are this limit's: 16 characters of {@code A-Za-z0-9-_}, made of the domain, the path in the tree and the algorithm, but
   * not of the number of requests nor the window: a store's key has the window beside it, and raising a limit keeps its counters.
   */
  public String id() {
    return id;
  }

  /** {@code domain.key_value.key}: its name in the statistics, as envoyproxy/ratelimit writes it. */
  public String metric() {
    return metric;
  }

  /** Whether different values share its counter ({@code share_threshold}). */
  boolean shared() {
    return shared;
  }

  public Terms terms() {
    return terms;
  }

  public long requests() {
    return terms.requests();
  }

  public Window window() {
    return terms.window();
  }

  public Algorithm algorithm() {
    return terms.algorithm();
  }

  public boolean shadow() {
    return terms.shadow();
  }

  public String origin() {
    return terms.origin();
  }

  /** The bucket of a {@link Algorithm#TOKEN_BUCKET}; without meaning for the others. */
  public Bucket bucket() {
    return bucket;
  }

  /** How far a store's count may go: the requests of a window, or the units of the bucket. One more is over the limit. */
  public long capacity() {
    return terms.algorithm() == Algorithm.TOKEN_BUCKET ? bucket.capacity() : terms.requests();
  }

  /** What an addend is in the store's count: itself, or the units that so many tokens are, at most ±2⁶⁰, which is more than any level. */
  public long units(long addend) {
    if (terms.algorithm() != Algorithm.TOKEN_BUCKET) {
      return addend;
    }
    return Math.abs(addend) > MAX_UNITS / bucket.cost()
        ? Long.signum(addend) * MAX_UNITS
        : addend * bucket.cost();
  }

  /** {@code current_limit} of an answer, serialised. Not to be changed by the caller. */
  public byte[] currentLimit() {
    return currentLimit;
  }

  /** The same limit with another number and window, as a descriptor's {@code limit} has it. It shares the counters of its window. */
  Limit overridden(long requests, Window window) {
    return new Limit(id, metric, shared, terms.limitedTo(requests, window));
  }

  /** The same limit, counted where another one is counted. */
  Limit withCountersOf(Limit other) {
    return new Limit(other.id, metric, other.shared, terms);
  }

  /** What one of several instances may give away by itself: its part of the number, rounded up, so that no limit becomes nothing. */
  public Limit sharedBy(int instances) {
    return overridden(Math.ceilDiv(terms.requests(), instances), terms.window());
  }

  /** Every part with its length before it, so that no two paths read alike. */
  private static String identity(String domain, List<Step> path, Algorithm algorithm) {
    var text = new StringBuilder();
    append(text, domain);
    for (var step : path) {
      append(text, step.key());
      if (step.value() == null) {
        text.append('*');
      } else {
        append(text, step.value());
      }
    }
    text.append(algorithm.letter());
    var digest = sha256(text.toString());
    return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, ID_BYTES));
  }

  private static void append(StringBuilder text, String part) {
    text.append(part.length()).append(':').append(part);
  }

  private static String metric(String domain, List<Step> path) {
    var text = new StringBuilder(domain);
    for (var step : path) {
      text.append('.').append(step.key());
      if (step.value() != null && !step.value().isEmpty()) {
        text.append('_').append(step.value());
      }
    }
    return text.toString();
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return metric + ": " + terms.requests() + " a " + terms.window() + " " + id;
  }
}
