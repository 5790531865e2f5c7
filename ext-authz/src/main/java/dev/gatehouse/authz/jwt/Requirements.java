package dev.gatehouse.authz.jwt;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a provider asks of a token beside a good signature.
 *
 * @param issuer null takes any
 * @param audiences the token must be for one of them; empty asks for none
 * @param types the values of {@code typ} that are taken, in lower case without {@code application/}; a token may have none
 * @param skew how far clocks may be apart
 */
public record Requirements(
    @Nullable String issuer,
    Set<String> audiences,
    Set<Algorithm> algorithms,
    Set<String> types,
    Duration skew) {
  /** As Envoy's jwt_authn ({@code clock_skew_seconds}), and so Envoy Gateway, has it. */
  private static final Duration SKEW = Duration.ofSeconds(60);

  /** An access token's, so that no ID, logout, DPoP or event token passes for one (RFC 8725 §3.11, RFC 9068 §2.1). */
  private static final Set<String> TYPES = Set.of("jwt", "at+jwt");

  /** What a SecurityPolicy can say. */
  public static Requirements of(@Nullable String issuer, Set<String> audiences) {
    return new Requirements(issuer, Set.copyOf(audiences), Algorithm.ALL, TYPES, SKEW);
  }
}
