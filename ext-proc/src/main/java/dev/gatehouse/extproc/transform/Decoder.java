package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.UnprocessableBody;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Undoes gzip (RFC 1952: any number of members, each checked by its sums) or deflate (RFC 9110 means zlib's format, RFC 1950; some send
 * the bare stream, RFC 1951) of a body that comes in pieces, which may end anywhere. Holds zlib's window, some 44 KiB, until closed.
 *
 * <p>A bomb is given up at the limit, and before that where it unfolds to more than {@value #MOST_RATIO} times what has come, beyond
 * the first {@value #FREE_BYTES} bytes. Deflate can do 1,032; JSON does 10 to 50, and where all rows are the same, as in a test's data,
 * 350: that much of it is no danger yet.
 */
final class Decoder implements AutoCloseable {
  /** Decoded bytes for one that came. */
  static final int MOST_RATIO = 200;

  /** What may be decoded whatever the ratio. */
  static final int FREE_BYTES = 8 << 20;

  // What comes next.
  private static final int FIXED = 0;
  private static final int EXTRA_LENGTH = 1;
  private static final int EXTRA = 2;
  private static final int NAME = 3;
  private static final int COMMENT = 4;
  private static final int HEADER_SUM = 5;
  private static final int FORMAT = 6;
  private static final int DATA = 7;
  private static final int TRAILER = 8;
  private static final int END = 9;

  private static final int GZIP_HEADER = 10;
  private static final int GZIP_TRAILER = 8;
  private static final int HAS_HEADER_SUM = 2;
  private static final int HAS_EXTRA = 4;
  private static final int HAS_NAME = 8;
  private static final int HAS_COMMENT = 16;
  private static final int RESERVED = 0xe0;

  private final boolean gzip;
  private final long limit;
  private final CRC32 headerSum = new CRC32();
  private final CRC32 sum = new CRC32();
  private final byte[] format = new byte[2];

  private @Nullable Inflater inflater;
  private int stage;
  private int count;
  private int flags;
  private long number;
  private boolean any;
  private long member;

  private long received;
  private long decoded;
  private byte[] in = new byte[0];
  private int at;
  private int end;

  /** @param limit in bytes, of the decoded body */
  Decoder(ContentCoding coding, long limit) {
    this.gzip = coding == ContentCoding.GZIP;
    this.limit = limit;
    this.stage = gzip ? FIXED : FORMAT;
  }

  /** The next piece; the one before must have been decoded. It is only lent, until it is. */
  void take(byte[] piece) {
    in = piece;
    at = 0;
    end = piece.length;
    received += piece.length;
  }

  /**
   * Decodes on.
   *
   * @return how many bytes were decoded; 0 when the piece is used up
   * @throws UnprocessableBody when it is not in this coding, is damaged, or something follows it
   * @throws BodyTooLarge past the limit, or where it is a bomb
   */
  int decode(byte[] out) throws UnprocessableBody, BodyTooLarge {
    for (; ; ) {
      if (stage == DATA) {
        var some = inflate(out);
        if (some > 0) {
          decoded(out, some);
          return some;
        }
        if (stage == DATA) {
          return 0;
        }
      } else if (at == end) {
        return 0;
      } else if (stage == END) {
        throw new UnprocessableBody("something follows the compressed body");
      } else {
        frame(in[at++] & 0xff);
      }
    }
  }

  /** @throws UnprocessableBody when it is not complete */
  void finish() throws UnprocessableBody {
    if (gzip ? !any || stage != FIXED || count > 0 : stage != END) {
      throw new UnprocessableBody("the compressed body ends early");
    }
  }

  @Override
  public void close() {
    if (inflater != null) {
      inflater.end();
    }
  }

  private int inflate(byte[] out) throws UnprocessableBody {
    var data = inflater();
    try {
      for (; ; ) {
        var some = data.inflate(out, 0, out.length);
        if (some > 0) {
          return some;
        }
        if (data.finished()) {
          ended(data);
          return 0;
        }
        if (data.needsDictionary()) {
          throw new UnprocessableBody("the compressed body needs a dictionary");
        }
        if (at == end) {
          return 0;
        }
        data.setInput(in, at, end - at);
        at = end;
      }
    } catch (DataFormatException e) {
      throw new UnprocessableBody("the compressed body is damaged");
    }
  }

  private Inflater inflater() {
    if (inflater == null) {
      inflater = new Inflater(gzip || !isZlib());
    }
    return inflater;
  }

  /** The first two bytes tell the formats apart (RFC 1950 section 2.2). */
  private boolean isZlib() {
    return (format[0] & 0x0f) == 8 && (((format[0] & 0xff) << 8) | (format[1] & 0xff)) % 31 == 0;
  }

  private void ended(Inflater data) throws UnprocessableBody {
    var left = data.getRemaining();
    if (gzip) {
      at -= left;
      data.reset();
      await(TRAILER);
      return;
    }
    if (left > 0) {
      throw new UnprocessableBody("something follows the compressed body");
    }
    stage = END;
  }

  private void decoded(byte[] out, int some) throws BodyTooLarge {
    decoded += some;
    if (decoded > limit || (decoded > FREE_BYTES && decoded > MOST_RATIO * received)) {
      throw new BodyTooLarge();
    }
    if (gzip) {
      sum.update(out, 0, some);
      member += some;
    }
  }

  /** A byte of what is around the data. */
  private void frame(int b) throws UnprocessableBody {
    if (stage < HEADER_SUM) {
      headerSum.update(b);
    }
    switch (stage) {
      case FIXED -> fixed(b);
      case EXTRA_LENGTH -> {
        if (littleEndian(b, 2)) {
          if (number == 0) {
            await(after(EXTRA));
          } else {
            count = 0;
            stage = EXTRA;
          }
        }
      }
      case EXTRA -> {
        if (++count == number) {
          await(after(EXTRA));
        }
      }
      case NAME, COMMENT -> {
        if (b == 0) {
          await(after(stage));
        }
      }
      case HEADER_SUM -> {
        if (littleEndian(b, 2)) {
          if (number != (headerSum.getValue() & 0xffff)) {
            throw new UnprocessableBody("the gzip header's check sum is wrong");
          }
          await(DATA);
        }
      }
      case FORMAT -> {
        format[count++] = (byte) b;
        if (count == format.length) {
          await(DATA);
          inflater().setInput(format);
        }
      }
      default -> trailer(b);
    }
  }

  private void fixed(int b) throws UnprocessableBody {
    var good = switch (count) {
      case 0 -> b == 0x1f;
      case 1 -> b == 0x8b;
      case 2 -> b == 8;
      case 3 -> (b & RESERVED) == 0;
      default -> true;
    };
    if (!good) {
      throw new UnprocessableBody(any ? "something follows the gzip body" : "the body is not gzip");
    }
    if (count == 3) {
      flags = b;
    }
    if (++count == GZIP_HEADER) {
      await(after(FIXED));
    }
  }

  /** What of a gzip header follows. */
  private int after(int part) {
    if (part < EXTRA_LENGTH && (flags & HAS_EXTRA) != 0) {
      return EXTRA_LENGTH;
    }
    if (part < NAME && (flags & HAS_NAME) != 0) {
      return NAME;
    }
    if (part < COMMENT && (flags & HAS_COMMENT) != 0) {
      return COMMENT;
    }
    return (flags & HAS_HEADER_SUM) != 0 ? HEADER_SUM : DATA;
  }

  private void trailer(int b) throws UnprocessableBody {
    if (!littleEndian(b, GZIP_TRAILER)) {
      return;
    }
    if ((number & 0xffff_ffffL) != sum.getValue() || (int) (number >>> 32) != (int) member) {
      throw new UnprocessableBody("the gzip body's check sum is wrong");
    }
    any = true;
    member = 0;
    sum.reset();
    headerSum.reset();
    await(FIXED);
  }

  private void await(int next) {
    stage = next;
    count = 0;
    number = 0;
  }

  /** @return whether the number is complete */
  private boolean littleEndian(int b, int bytes) {
    number |= (long) b << (8 * count);
    return ++count == bytes;
  }
}
