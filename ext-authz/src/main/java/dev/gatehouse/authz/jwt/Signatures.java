package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.security.SecureDigestAlgorithm;
import io.jsonwebtoken.security.VerifySecureDigestRequest;
import java.io.InputStream;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The signature layer: who signed a token, whatever it claims. Form and header are {@link TokenReader}'s, which keys may have
 * signed is the {@link KeySet}'s, and jjwt checks.
 *
 * <p>jjwt's algorithms are asked, not its parser: each part is read once, by our own reader, so that no second reader can take it
 * for something else. Takes no lock that others wait for.
 */
public final class Signatures {
  private Signatures() {}

  /**
   * The key of the set that signed the token.
   *
   * @throws BadToken if none did, or the token is none
   */
  public static VerificationKey check(byte[] token, KeySet keys) throws BadToken {
    var jws = TokenReader.jws(token);
    return check(jws, keys.candidates(jws));
  }

  /**
   * The first of the keys that signed it.
   *
   * @throws BadToken if none did
   */
  static VerificationKey check(CompactJws jws, List<VerificationKey> candidates) throws BadToken {
    var refused = new BadToken("no key of the set may have signed it");
    for (var key : candidates) {
      try {
        if (key.fits(jws.algorithm()) && signed(jws, key)) {
          return key;
        }
        refused = new BadToken("its signature does not match");
      } catch (JwtException | IllegalArgumentException e) {
        refused = new BadToken("jjwt: " + e.getClass().getSimpleName());
      }
    }
    throw refused;
  }

  private static boolean signed(CompactJws jws, VerificationKey key) {
    return verifier(jws.algorithm())
        .verify(new Request(jws.signed(), jws.signature(), key.key(), key.provider()));
  }

  @SuppressWarnings("unchecked") // each of Algorithm's is one of public keys
  private static SecureDigestAlgorithm<?, PublicKey> verifier(Algorithm algorithm) {
    return (SecureDigestAlgorithm<?, PublicKey>) (SecureDigestAlgorithm<?, ?>) algorithm.jjwt();
  }

  private static final class Request implements VerifySecureDigestRequest<PublicKey> {
    private final InputStream signed;
    private final byte[] signature;
    private final PublicKey key;
    private final @Nullable Provider provider;

    Request(InputStream signed, byte[] signature, PublicKey key, @Nullable Provider provider) {
      this.signed = signed;
      this.signature = signature;
      this.key = key;
      this.provider = provider;
    }

    @Override
    public InputStream getPayload() {
      return signed;
    }

    @Override
    public byte[] getDigest() {
      return signature;
    }

    @Override
    public PublicKey getKey() {
      return key;
    }

    @Override
    public @Nullable Provider getProvider() {
      return provider;
    }

    /** A check needs none. */
    @Override
    public @Nullable SecureRandom getSecureRandom() {
      return null;
    }
  }
}
