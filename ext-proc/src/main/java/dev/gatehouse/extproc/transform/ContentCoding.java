package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.UnprocessableBody;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The content codings (RFC 9110 section 8.4.1) that bodies are decoded from. What was decoded and changed goes on as identity. */
enum ContentCoding {
  IDENTITY,
  GZIP,
  DEFLATE;

  /** What is decoded at a time. */
  static final int BUFFER_BYTES = 16 << 10;

  /** Null where it is none of these, or several at once. */
  static @Nullable ContentCoding of(@Nullable String contentEncoding) {
    if (contentEncoding == null) {
      return IDENTITY;
    }
    return switch (contentEncoding.trim().toLowerCase(Locale.ROOT)) {
      case "", "identity" -> IDENTITY;
      case "gzip", "x-gzip" -> GZIP;
      case "deflate" -> DEFLATE;
      default -> null;
    };
  }

  /**
   * Whether an {@code accept-encoding} takes gzip (RFC 9110 section 12.5.3): only then is it left to the upstream to choose it.
   */
  static boolean acceptsGzip(@Nullable String acceptEncoding) {
    if (acceptEncoding == null) {
      return false;
    }
    for (var coding : acceptEncoding.split(",", -1)) {
      var semicolon = coding.indexOf(';');
      var name = (semicolon < 0 ? coding : coding.substring(0, semicolon)).trim();
      if (name.equalsIgnoreCase("gzip") || name.equalsIgnoreCase("x-gzip")) {
        return semicolon < 0 || !isZero(coding.substring(semicolon + 1).trim());
      }
    }
    return false;
  }

  /** {@code q=0}, {@code q=0.000}. */
  private static boolean isZero(String weight) {
    if (weight.length() < 3 || !weight.regionMatches(true, 0, "q=0", 0, 3)) {
      return false;
    }
    for (var i = 3; i < weight.length(); i++) {
      var c = weight.charAt(i);
      if (c != '0' && c != '.') {
        return false;
      }
    }
    return true;
  }

  /**
   * The decoded body.
   *
   * @param limit in bytes, of the decoded body: a bomb is given up there
   * @throws BodyTooLarge past the limit, or where it is a bomb
   * @throws UnprocessableBody when it is not in this coding, ends early, or something follows it
   */
  byte[] decode(ByteString body, long limit) throws UnprocessableBody, BodyTooLarge {
    var in = BodyBytes.of(body);
    if (this == IDENTITY) {
      return in;
    }
    var out = new Piled(Math.clamp(4L * in.length, 1024, 1 << 20));
    try (var decoder = new Decoder(this, limit)) {
      var some = new byte[BUFFER_BYTES];
      decoder.take(in);
      for (var count = decoder.decode(some); count > 0; count = decoder.decode(some)) {
        out.write(some, 0, count);
      }
      decoder.finish();
    }
    return out.bytes();
  }
}
