package dev.gatehouse.authz.jwt;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A compact JWS whose form and header {@link TokenReader} found to be as they must. Its payload was not looked at, and nobody
 * knows yet who signed it.
 */
public final class CompactJws {
  private final byte[] token;
  private final int signed;
  private final byte[] signature;
  private final Algorithm algorithm;
  private final @Nullable String kid;
  private final @Nullable String type;

  /**
   * @param signed how many bytes of the token the signature covers (RFC 7515 §5.2): header, dot and payload, as they are encoded
   * @param type in lower case, without {@code application/}
   */
  CompactJws(
      byte[] token,
      int signed,
      byte[] signature,
      Algorithm algorithm,
      @Nullable String kid,
      @Nullable String type) {
    this.token = token;
    this.signed = signed;
    this.signature = signature;
    this.algorithm = algorithm;
    this.kid = kid;
    this.type = type;
  }

  public Algorithm algorithm() {
    return algorithm;
  }

  public @Nullable String kid() {
    return kid;
  }

  public @Nullable String type() {
    return type;
  }

  InputStream signed() {
    return new ByteArrayInputStream(token, 0, signed);
  }

  /** Not a copy: not to be changed. */
  byte[] signature() {
    return signature;
  }

  /** Hides the token. */
  @Override
  public String toString() {
    return "CompactJws[" + algorithm + "]";
  }
}
