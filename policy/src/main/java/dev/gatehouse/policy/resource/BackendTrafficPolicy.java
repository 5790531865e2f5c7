package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What limits how often callers may come: {@code gateway.envoyproxy.io/v1alpha1 BackendTrafficPolicy}, its {@code rateLimit.global}, and
 * {@code gatehouse.dev/v1alpha1 RateLimitPolicy}, which says more in the same words. {@code meta.kind} says which of them it is.
 *
 * @param countsDenied whether a request that one rule denies counts on the others nevertheless, as envoyproxy/ratelimit has it
 */
public record BackendTrafficPolicy(
    Meta meta, Targets targets, List<Rule> rules, boolean countsDenied, Denial denial)
    implements Policy {
  /** The kind of ours. */
  public static final String RATE_LIMIT_POLICY = "RateLimitPolicy";

  /** Whether it is a RateLimitPolicy. */
  public boolean ours() {
    return meta.kind().equals(RATE_LIMIT_POLICY);
  }

  /**
   * One rule. Selectors are all to hold; none means every request of the route.
   *
   * @param name unique in its policy; empty where it has none
   * @param limit for whoever has none of the plans
   * @param plan null where the limit is everybody's
   * @param requestCost null: a request costs 1
   * @param responseCost taken when the response has ended, from those that come later; null: none
   * @param shared one counter for all that the policy targets, and not one a route
   * @param limitHeaders null where the policy's {@link Denial#limitHeaders} hold
   */
  public record Rule(
      String name,
      List<ClientSelector> selectors,
      Limit limit,
      @Nullable Plan plan,
      Algorithm algorithm,
      OnUnavailable onUnavailable,
      @Nullable Cost requestCost,
      @Nullable Cost responseCost,
      boolean shared,
      boolean shadowMode,
      @Nullable LimitHeaders limitHeaders,
      Origin origin) {}

  /**
   * How much in which time.
   *
   * @param requests 0 denies all, at most 4,294,967,295
   * @param every how many units the time has, from 1
   * @param burst how many a {@link Algorithm#TOKEN_BUCKET} takes at once; null: as many as {@code requests}
   * @param fromMetadata a struct {@code {requests_per_unit, unit}} that replaces it where a request has one; null: nothing does
   */
  public record Limit(
      long requests,
      Unit unit,
      int every,
      @Nullable Long burst,
      @Nullable MetadataKey fromMetadata) {}

  public enum Unit {
    SECOND,
    MINUTE,
    HOUR,
    DAY,
    WEEK,
    MONTH,
    YEAR
  }

  public enum Algorithm {
    FIXED_WINDOW,
    SLIDING_WINDOW,
    TOKEN_BUCKET
  }

  /** What holds while the counters cannot be reached. */
  public enum OnUnavailable {
    /** An error, of which Envoy's {@code failure_mode_deny} makes what it says: BackendTrafficPolicy's. */
    ERROR,
    ALLOW,
    DENY,
    /** Each instance counts by itself, in memory. */
    LOCAL
  }

  /**
   * Limits by a text that an earlier filter put into the dynamic metadata, such as what the caller has paid for.
   *
   * @param from where the plan's name stands
   * @param limits by the plan's name, at least one
   */
  public record Plan(MetadataKey from, Map<String, Limit> limits) {}

  /** A place in the dynamic metadata ({@code type.metadata.v3.MetadataKey}): a filter's namespace, and a path of at least one name. */
  public record MetadataKey(String namespace, List<String> path) {
    /** The namespace of ext_authz; {@code auth} and {@code decision} are in it. */
    public static final String AUTHZ_NAMESPACE = "envoy.filters.http.ext_authz";

    /** Prefix of the texts that ext-authz copies there for rate limits, which can read nothing else. */
    public static final String DESCRIPTOR_PREFIX = "gatehouse.";
  }

  /** How much one request counts. */
  public sealed interface Cost {
    /** @param number 0 looks and counts nothing */
    record Fixed(long number) implements Cost {}

    /** A number of the dynamic metadata; where there is none, the request is not counted. */
    record Metadata(MetadataKey key) implements Cost {}
  }

  /** Which headers tell a client of its limits. */
  public enum LimitHeaders {
    /** {@code x-ratelimit-*} (Envoy's DRAFT_VERSION_03). */
    X_RATE_LIMIT,
    /** {@code RateLimit} and {@code RateLimit-Policy} (draft-ietf-httpapi-ratelimit-headers). */
    IETF,
    NONE
  }

  /**
   * The answer to who is over a limit.
   *
   * @param headers added to it, in the order of the file; names in lower case
   * @param body null: Envoy's own, an empty one
   * @param retryAfter whether {@code Retry-After} says when it may be tried again (RFC 9110 §10.2.3)
   */
  public record Denial(
      int status,
      Map<String, String> headers,
      @Nullable String body,
      LimitHeaders limitHeaders,
      boolean retryAfter) {
    /** What Envoy answers by itself. */
    public static final Denial USUAL =
        new Denial(429, Map.of(), null, LimitHeaders.X_RATE_LIMIT, false);
  }

  public record ClientSelector(
      List<HeaderSelector> headers,
      List<MethodSelector> methods,
      @Nullable PathSelector path,
      @Nullable SourceCidr sourceCidr,
      List<QuerySelector> queryParams,
      List<MetadataSelector> metadata) {}

  public record HeaderSelector(String name, StringMatch match, boolean invert) {}

  public record MethodSelector(String value, boolean invert) {}

  public record PathSelector(StringMatch match, boolean invert) {}

  /** @param distinct each address counts by itself */
  public record SourceCidr(String cidr, boolean distinct, boolean invert) {}

  public record QuerySelector(String name, StringMatch match, boolean invert) {}

  /** Of a RateLimitPolicy: a text of the dynamic metadata, {@code EXACT} or {@code DISTINCT}. Where there is none, distinct ones count together. */
  public record MetadataSelector(MetadataKey key, StringMatch match) {}
}
