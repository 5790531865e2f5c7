package dev.gatehouse.authz.basic;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A user-id and a password as a request shows them (RFC 7617); nothing says yet that they are right. Both are compared byte by byte,
 * without the normalisation of RFC 8265 that the RFC recommends to clients: a hash cannot be normalised. The password never becomes
 * a String.
 */
public final class BasicCredential {
  /** Of the header's value. */
  static final int MAX_BYTES = 2048;

  /** As Apache's {@code htpasswd} bounds it. */
  static final int MAX_USER_BYTES = 255;

  private static final byte[] SCHEME = "basic".getBytes(StandardCharsets.US_ASCII);

  private final String user;
  private final byte[] password;

  private BasicCredential(String user, byte[] password) {
    this.user = user;
    this.password = password;
  }

  /**
   * Reads the value of {@code Authorization}. That there is one such header only is the caller's to see to.
   *
   * @return null where the scheme is another one
   * @throws BadCredential if the scheme is Basic and what follows is no credential; nothing of it is quoted
   */
  public static @Nullable BasicCredential read(byte[] value) throws BadCredential {
    if (!isBasic(value)) {
      return null;
    }
    require(value.length <= MAX_BYTES, "it is longer than " + MAX_BYTES + " bytes");
    int start = SCHEME.length; // RFC 9110 §11.4: credentials = auth-scheme 1*SP token68
    while (start < value.length && value[start] == ' ') {
      start++;
    }
    return ofPair(decoded(Arrays.copyOfRange(value, start, value.length)));
  }

  public String user() {
    return user;
  }

  /** Not a copy. */
  byte[] password() {
    return password;
  }

  /** RFC 9110 §11.1: without case. */
  private static boolean isBasic(byte[] value) {
    if (value.length < SCHEME.length) {
      return false;
    }
    for (int i = 0; i < SCHEME.length; i++) {
      if ((value[i] | 0x20) != SCHEME[i]) {
        return false;
      }
    }
    return value.length == SCHEME.length || value[SCHEME.length] == ' ';
  }

  /** RFC 4648 §4, and §3.5: padded, and the bits that encode nothing are zero, so that there is one encoding of each value. */
  private static byte[] decoded(byte[] base64) throws BadCredential {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new BadCredential("it is not base64");
    }
    require(
        Arrays.equals(Base64.getEncoder().encode(bytes), base64), "its base64 is not canonical");
    return bytes;
  }

  /** RFC 7617 §2: {@code user-id ":" password}; the first colon ends the user-id, and neither holds a control character. */
  private static BasicCredential ofPair(byte[] pair) throws BadCredential {
    int colon = 0;
    while (colon < pair.length && pair[colon] != ':') {
      colon++;
    }
    require(colon < pair.length, "there is no colon in it");
    require(colon > 0, "its user-id is empty");
    require(colon <= MAX_USER_BYTES, "its user-id is longer than " + MAX_USER_BYTES + " bytes");
    for (byte each : pair) {
      require((each & 0xff) >= 0x20 && each != 0x7f, "it holds a control character");
    }
    requireUtf8(pair);
    return new BasicCredential(
        new String(pair, 0, colon, StandardCharsets.UTF_8),
        Arrays.copyOfRange(pair, colon + 1, pair.length));
  }

  /** RFC 7617 §2.1: we ask for UTF-8. */
  private static void requireUtf8(byte[] pair) throws BadCredential {
    try {
      var _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(pair));
    } catch (CharacterCodingException e) {
      throw new BadCredential("it is not UTF-8");
    }
  }

  private static void require(boolean holds, String otherwise) throws BadCredential {
    if (!holds) {
      throw new BadCredential(otherwise);
    }
  }

  /** The user, never the password. */
  @Override
  public String toString() {
    return "BasicCredential[" + user + "]";
  }
}
