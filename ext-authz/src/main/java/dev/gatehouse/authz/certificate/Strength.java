package dev.gatehouse.authz.certificate;

import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PSSParameterSpec;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which keys and signatures are strong enough, and small enough to be computed with: an allow-list (RFC 9325 §4.5). */
final class Strength {
  private static final int LEAST_RSA_BITS = 2048;

  /** A verification with more takes longer than anybody needs; intermediates come from the caller. */
  private static final int MOST_RSA_BITS = 8192;

  private static final int LEAST_EC_BITS = 256;

  private static final Set<String> SIGNATURES = Set.of(
      "SHA256withRSA",
      "SHA384withRSA",
      "SHA512withRSA",
      "SHA256withECDSA",
      "SHA384withECDSA",
      "SHA512withECDSA",
      "Ed25519",
      "Ed448");

  private static final Set<String> PSS_DIGESTS = Set.of("SHA-256", "SHA-384", "SHA-512");

  private Strength() {}

  /** What is wrong with the key; null if nothing is. */
  static @Nullable String problemOfKey(PublicKey key) {
    return switch (key) {
      case RSAPublicKey rsa -> {
        int bits = rsa.getModulus().bitLength();
        yield bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS
            ? "an RSA key of " + bits + " bits (expected: " + LEAST_RSA_BITS + " to "
                + MOST_RSA_BITS + ")"
            : null;
      }
      case ECPublicKey ec ->
        ec.getParams().getOrder().bitLength() < LEAST_EC_BITS
            ? "an elliptic curve of less than " + LEAST_EC_BITS + " bits"
            : null;
      case EdECPublicKey _ -> null;
      default -> "a key that is not RSA, EC or EdDSA";
    };
  }

  /** What is wrong with the signature's algorithm; null if nothing is. */
  static @Nullable String problemOfSignature(X509Certificate certificate) {
    var name = certificate.getSigAlgName();
    if (SIGNATURES.contains(name) || (name.equals("RSASSA-PSS") && strongPss(certificate))) {
      return null;
    }
    return "signed with " + name + " (expected: RSA, ECDSA or EdDSA with SHA-2)";
  }

  private static boolean strongPss(X509Certificate certificate) {
    try {
      var parameters = AlgorithmParameters.getInstance("RSASSA-PSS");
      parameters.init(certificate.getSigAlgParams());
      var digest = parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm();
      return PSS_DIGESTS.contains(digest);
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      return false;
    }
  }
}
