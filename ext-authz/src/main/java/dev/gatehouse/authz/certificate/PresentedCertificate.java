package dev.gatehouse.authz.certificate;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** A client certificate as a request shows it: text that nobody has looked into yet. */
public final class PresentedCertificate {
  /** Of a certificate, or of a chain. */
  static final int MAX_CHARS = Xfcc.MAX_CHARS;

  private final @Nullable String leaf;
  private final @Nullable String chain;
  private final @Nullable String hash;
  private final Digest digest;

  private PresentedCertificate(
      @Nullable String leaf, @Nullable String chain, @Nullable String hash) {
    this.leaf = leaf;
    this.chain = chain;
    this.hash = hash;
    this.digest = Digest.of(leaf, chain, hash);
  }

  /**
   * The caller's own, of its TLS connection with Envoy.
   *
   * @param certificate {@code source.certificate} of Envoy's {@code AttributeContext}: PEM, URL-encoded; only the caller's own, so
   *     that whoever issued it must be among the policy's authorities
   * @throws BadCertificate if it is too long
   */
  public static PresentedCertificate ofPeer(String certificate) throws BadCertificate {
    requireBounded(certificate);
    return new PresentedCertificate(certificate, null, null);
  }

  /**
   * What a proxy in front of Envoy says of its own client in {@code x-forwarded-client-cert}. Whether that proxy may say so is the
   * caller's to see to: this header is worth what its sender is.
   *
   * <p><b>Several elements are refused.</b> Each proxy that appends (Envoy's {@code APPEND_FORWARD}) puts its own client's at the end,
   * so only the last would be of the proxy that we trust, and those before it are that client's claims. But Envoy writes a
   * certificate's URI and DNS names as they are: one issued with a comma in its name ({@code URI=x,Hash=…;Cert="…"}) would end its own
   * element and begin another with somebody else's certificate, which is no secret. With one element allowed this is an
   * error, and so is the same trick with a semicolon: {@code Cert}, {@code Chain} and {@code Hash} come once, and {@code Hash}, which Envoy
   * always writes first, must be of the certificate. So the proxy in front is best set to {@code SANITIZE_SET}.
   *
   * @param header its value; several lines joined by a comma are several elements
   * @throws BadCertificate if it is not in its form, has several elements, no {@code Hash}, or neither {@code Cert} nor {@code Chain}
   */
  public static PresentedCertificate ofForwarded(String header) throws BadCertificate {
    var elements = Xfcc.parse(header);
    if (elements.size() > 1) {
      throw new BadCertificate("x-forwarded-client-cert has " + elements.size()
          + " elements (expected: one, of the proxy in front; set it to SANITIZE_SET)");
    }
    var element = elements.getFirst();
    var leaf = element.only(Xfcc.Key.CERT);
    var chain = element.only(Xfcc.Key.CHAIN);
    var hash = element.only(Xfcc.Key.HASH);
    if ((leaf == null && chain == null) || hash == null) {
      throw new BadCertificate("x-forwarded-client-cert has no Hash, or neither Cert nor Chain");
    }
    return new PresentedCertificate(leaf, chain, hash);
  }

  /** URL-encoded PEM; null where there is only a {@link #chain}. */
  @Nullable
  String leaf() {
    return leaf;
  }

  /** URL-encoded PEM, the caller's own first; null where there is none. */
  @Nullable
  String chain() {
    return chain;
  }

  /** What the certificate's SHA-256 is said to be, in hexadecimal; null where nobody says. */
  @Nullable
  String hash() {
    return hash;
  }

  Digest digest() {
    return digest;
  }

  private static void requireBounded(String text) throws BadCertificate {
    if (text.length() > MAX_CHARS) {
      throw new BadCertificate(text.length() + " characters (at most " + MAX_CHARS + ")");
    }
  }

  /** A SHA-256 of all that is shown, as numbers. */
  record Digest(long a, long b, long c, long d) {
    private static Digest of(@Nullable String... parts) {
      try {
        var sha256 = MessageDigest.getInstance("SHA-256");
        for (var part : parts) {
          var bytes = part == null ? new byte[0] : part.getBytes(StandardCharsets.UTF_8);
          // Lengths in front, so that no other parts are the same bytes.
          sha256.update(
              ByteBuffer.allocate(4).putInt(part == null ? -1 : bytes.length).flip());
          sha256.update(bytes);
        }
        var words = ByteBuffer.wrap(sha256.digest());
        return new Digest(words.getLong(), words.getLong(), words.getLong(), words.getLong());
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-256", e);
      }
    }
  }

  /** Nothing of it: it may be anything. */
  @Override
  public String toString() {
    return "PresentedCertificate";
  }
}
