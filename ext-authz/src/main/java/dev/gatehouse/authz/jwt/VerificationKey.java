package dev.gatehouse.authz.jwt;

import java.security.PublicKey;
import org.jspecify.annotations.Nullable;

/**
 * A public key that may check signatures.
 *
 * @param algorithm the only one that it may be used with; null leaves that to its type
 */
public record VerificationKey(
    @Nullable String kid,
    @Nullable Algorithm algorithm,
    String keyType,
    @Nullable String curve,
    PublicKey key) {

  boolean fits(Algorithm wanted) {
    return (algorithm == null || algorithm == wanted) && wanted.fits(keyType, curve);
  }
}
