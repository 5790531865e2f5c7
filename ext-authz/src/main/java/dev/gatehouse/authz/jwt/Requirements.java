package dev.gatehouse.authz.jwt;

import dev.gatehouse.authz.rules.ClaimPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a provider asks of a token beside a good signature.
 *
 * @param issuer null takes any
 * @param audiences the token must be for one of them; empty asks for none
 * @param types the values of {@code typ} that are taken, in lower case without {@code application/}
 * @param typed a token must have a {@code typ}
 * @param skew how far clocks may be apart, at most {@link #MAX_SKEW}
 * @param maxLifetime {@code exp} minus {@code iat} at most; null means any
 * @param claims that must be there and say something
 */
public record Requirements(
    @Nullable String issuer,
    Set<String> audiences,
    Set<Algorithm> algorithms,
    Set<String> types,
    boolean typed,
    Duration skew,
    @Nullable Duration maxLifetime,
    List<ClaimPath> claims) {
  /** As Envoy's jwt_authn ({@code clock_skew_seconds}), and so Envoy Gateway, has it. */
  public static final Duration SKEW = Duration.ofSeconds(60);

  /** RFC 7519 §4.1.4: "usually no more than a few minutes". */
  public static final Duration MAX_SKEW = Duration.ofMinutes(5);

  /** An access token's, so that no ID, logout, DPoP or event token passes for one (RFC 8725 §3.11, RFC 9068 §2.1). */
  public static final Set<String> TYPES = Set.of("jwt", "at+jwt");

  /**
   * Types of tokens that are never for access: logout (OpenID Connect Back-Channel Logout §2.4), DPoP proofs (RFC 9449 §4.2),
   * security events (RFC 8417 §2.3).
   */
  public static final Set<String> NEVER = Set.of("logout+jwt", "dpop+jwt", "secevent+jwt");

  /** RFC 9068 §2.1. */
  private static final Set<String> ACCESS_TOKEN = Set.of("at+jwt");

  /** RFC 9068 §2.2: all that are required there. */
  private static final List<ClaimPath> ACCESS_TOKEN_CLAIMS = Stream.of(
          "iss", "exp", "aud", "sub", "client_id", "iat", "jti")
      .map(ClaimPath::of)
      .toList();

  public Requirements {
    if (!Collections.disjoint(types, NEVER)) {
      throw new IllegalArgumentException(types + " (expected: none of " + NEVER + ")");
    }
  }

  /** What a SecurityPolicy can say. */
  public static Requirements of(@Nullable String issuer, Set<String> audiences) {
    return new Requirements(
        issuer, Set.copyOf(audiences), Algorithm.ALL, TYPES, false, SKEW, null, List.of());
  }

  public Requirements withAlgorithms(Set<Algorithm> these) {
    return new Requirements(issuer, audiences, these, types, typed, skew, maxLifetime, claims);
  }

  /**
   * These types, and no token without one. {@code at+jwt} alone asks for access tokens of RFC 9068, with every claim that they
   * must have.
   */
  public Requirements withTypes(Set<String> these) {
    var also = new ArrayList<>(claims);
    if (these.equals(ACCESS_TOKEN)) {
      also.addAll(ACCESS_TOKEN_CLAIMS);
    }
    return new Requirements(
        issuer, audiences, algorithms, these, true, skew, maxLifetime, List.copyOf(also));
  }

  public Requirements withSkew(Duration atMost) {
    return new Requirements(
        issuer, audiences, algorithms, types, typed, atMost, maxLifetime, claims);
  }

  public Requirements withMaxLifetime(Duration atMost) {
    return new Requirements(issuer, audiences, algorithms, types, typed, skew, atMost, claims);
  }

  public Requirements withClaims(List<ClaimPath> these) {
    var also = new ArrayList<>(claims);
    also.addAll(these);
    return new Requirements(
        issuer, audiences, algorithms, types, typed, skew, maxLifetime, List.copyOf(also));
  }

  /** A required claim that the token has not, or that says nothing; null if it has them all. */
  @Nullable
  ClaimPath missing(Map<String, @Nullable Object> token) {
    for (var claim : claims) {
      var value = claim.in(token);
      if (value == null || value.equals("") || value.equals(List.of())) {
        return claim;
      }
    }
    return null;
  }
}
