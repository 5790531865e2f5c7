package dev.gatehouse.authz.jwt;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A token whose signature and claims were checked; only {@link Verifier} makes one. Whether it is still valid, {@link #valid} says
 * each time that it is used.
 *
 * @param from when it begins to be valid, in milliseconds since the epoch, the clock skew taken off
 * @param until when it ceases to be valid, the clock skew added
 * @param scopes those of the "scope" claim (RFC 8693 §4.2) or, where there is none, of "scp"
 * @param claims all of them; numbers are doubles
 */
public record VerifiedToken(
    @Nullable String subject,
    @Nullable String issuer,
    long from,
    long until,
    List<String> scopes,
    Map<String, @Nullable Object> claims) {

  public boolean valid(Instant now) {
    long millis = now.toEpochMilli();
    return millis >= from && millis < until;
  }

  /** Hides the claims. */
  @Override
  public String toString() {
    return "VerifiedToken[" + issuer + "]";
  }
}
