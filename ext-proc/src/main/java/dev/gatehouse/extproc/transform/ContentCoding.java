package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.UnprocessableBody;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** The content codings (RFC 9110 section 8.4.1) that bodies are decoded from. What was decoded and changed goes on as identity. */
enum ContentCoding {
  IDENTITY,
  GZIP,
  DEFLATE;

  private static final int GZIP_HEADER = 10;
  private static final int GZIP_TRAILER = 8;

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
    if (acceptEncoding == null || acceptEncoding.indexOf("gzip") < 0) {
      return false;
    }
    for (var coding : acceptEncoding.split(",", -1)) {
      var semicolon = coding.indexOf(';');
      var name = (semicolon < 0 ? coding : coding.substring(0, semicolon)).trim();
      if (!name.equals("gzip") && !name.equals("x-gzip")) {
        continue;
      }
      var weight = semicolon < 0 ? "" : coding.substring(semicolon + 1).trim();
      return !isZero(weight);
    }
    return false;
  }

  /** RFC 9110 section 12.4.2: {@code q=0}, with a point and noughts behind it or not. */
  private static boolean isZero(String weight) {
    if (!weight.regionMatches(true, 0, "q=0", 0, 3)) {
      return false;
    }
    for (int i = 3; i < weight.length(); i++) {
      if (weight.charAt(i) != (i == 3 ? '.' : '0')) {
        return false;
      }
    }
    return true;
  }

  /**
   * The decoded body.
   *
   * @param limit in bytes, of the decoded body: a bomb is given up there
   * @throws BodyTooLarge past the limit
   * @throws UnprocessableBody when it is not in this coding, ends early, or something follows it
   */
  byte[] decode(ByteString body, long limit) throws UnprocessableBody, BodyTooLarge {
    return switch (this) {
      case IDENTITY -> body.toByteArray();
      case GZIP -> gunzip(body.toByteArray(), limit);
      case DEFLATE -> {
        var in = body.toByteArray();
        // RFC 9110 means zlib's format; some send the bare stream. The first two bytes tell them
        // apart (RFC 1950 section 2.2).
        var zlib = in.length >= 2
            && (in[0] & 0x0f) == 8
            && (((in[0] & 0xff) << 8) | (in[1] & 0xff)) % 31 == 0;
        yield inflate(in, 0, in.length, !zlib, limit);
      }
    };
  }

  /** A gzip member (RFC 1952): one, checked by its sum. */
  private static byte[] gunzip(byte[] in, long limit) throws UnprocessableBody, BodyTooLarge {
    var from = afterGzipHeader(in);
    var to = in.length - GZIP_TRAILER;
    if (to < from) {
      throw new UnprocessableBody("the gzip body ends early");
    }
    var out = inflate(in, from, to, true, limit);
    var sum = new CRC32();
    sum.update(out);
    if ((int) sum.getValue() != littleEndian(in, to) || out.length != littleEndian(in, to + 4)) {
      throw new UnprocessableBody("the gzip body's check sum is wrong");
    }
    return out;
  }

  private static int afterGzipHeader(byte[] in) throws UnprocessableBody {
    if (in.length < GZIP_HEADER || in[0] != 0x1f || in[1] != (byte) 0x8b || in[2] != 8) {
      throw new UnprocessableBody("the body is not gzip");
    }
    var flags = in[3];
    var at = GZIP_HEADER;
    if ((flags & 4) != 0) {
      at += at + 2 > in.length ? in.length : 2 + ((in[at] & 0xff) | ((in[at + 1] & 0xff) << 8));
    }
    if ((flags & 8) != 0) {
      at = afterZero(in, at);
    }
    if ((flags & 16) != 0) {
      at = afterZero(in, at);
    }
    return (flags & 2) != 0 ? at + 2 : at;
  }

  private static int afterZero(byte[] in, int from) {
    var at = from;
    while (at < in.length && in[at] != 0) {
      at++;
    }
    return at + 1;
  }

  private static int littleEndian(byte[] in, int at) {
    return (in[at] & 0xff)
        | ((in[at + 1] & 0xff) << 8)
        | ((in[at + 2] & 0xff) << 16)
        | ((in[at + 3] & 0xff) << 24);
  }

  private static byte[] inflate(byte[] in, int from, int to, boolean bare, long limit)
      throws UnprocessableBody, BodyTooLarge {
    var inflater = new Inflater(bare);
    try {
      inflater.setInput(in, from, to - from);
      var out = new byte[(int) Math.min(limit + 1, Math.max(1024, (to - from) * 4L))];
      var length = 0;
      while (!inflater.finished()) {
        if (length > limit) {
          throw new BodyTooLarge();
        }
        if (length == out.length) {
          out = Arrays.copyOf(out, (int) Math.min(limit + 1, out.length * 2L));
        }
        var some = inflater.inflate(out, length, out.length - length);
        if (some == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
          throw new UnprocessableBody("the compressed body ends early");
        }
        length += some;
      }
      if (length > limit) {
        throw new BodyTooLarge();
      }
      if (inflater.getRemaining() > 0) {
        throw new UnprocessableBody("something follows the compressed body");
      }
      return Arrays.copyOf(out, length);
    } catch (DataFormatException e) {
      throw new UnprocessableBody("the compressed body is damaged");
    } finally {
      inflater.end();
    }
  }
}
