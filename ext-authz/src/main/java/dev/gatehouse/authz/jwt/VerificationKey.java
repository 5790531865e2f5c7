package dev.gatehouse.authz.jwt;

import java.security.Provider;
import java.security.PublicKey;
import java.security.interfaces.RSAKey;
import org.jspecify.annotations.Nullable;

/**
 * A public key that may check signatures.
 *
 * @param algorithm the only one that it may be used with; null leaves that to its type
 * @param provider who computes with it; null leaves it to the JDK's order
 */
public record VerificationKey(
    @Nullable String kid,
    @Nullable Algorithm algorithm,
    String keyType,
    @Nullable String curve,
    PublicKey key,
    @Nullable Provider provider) {
  private static final int QUICK_RSA_BITS = 4096;

  boolean fits(Algorithm wanted) {
    return (algorithm == null || algorithm == wanted) && wanted.fits(keyType, curve);
  }

  /** Whether a check takes longer than about a tenth of a millisecond (docs/performance.md), too long for an event loop. */
  boolean slow() {
    if (key instanceof RSAKey rsa) {
      return rsa.getModulus().bitLength() > QUICK_RSA_BITS;
    }
    return provider == null || !("P-256".equals(curve) || "Ed25519".equals(curve));
  }
}
