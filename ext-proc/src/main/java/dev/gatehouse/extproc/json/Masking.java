package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;

/** What a masked string says, without the quotes: remembers only how much is hidden and the last characters, which may stay. */
final class Masking extends CodePoints {
  private static final byte[] STARS = "*".repeat(256).getBytes(StandardCharsets.US_ASCII);

  /** The longest way to write a character. */
  private static final int ESCAPED = 6;

  private int[] last = new int[0];
  private byte[] written = new byte[0];
  private Mask mask = new Mask(0, 0);
  private long seen;
  private long hidden;

  /**
   * How a value is hidden.
   *
   * @param keepLast characters that stay, of a value that has more than
   * @param hideUpTo characters; at least {@code keepLast}, and more where several masks meet
   */
  record Mask(int keepLast, int hideUpTo) {
    /** One after the other: either has hidden what it hides. */
    Mask and(Mask other) {
      return new Mask(Math.min(keepLast, other.keepLast), Math.max(hideUpTo, other.hideUpTo));
    }

    /** How many characters of so many stay. */
    int kept(long length) {
      return length <= hideUpTo ? 0 : keepLast;
    }
  }

  void begin(Mask mask) {
    begin();
    this.mask = mask;
    seen = 0;
    hidden = 0;
    if (last.length < mask.keepLast) {
      last = new int[mask.keepLast];
      written = new byte[mask.keepLast * ESCAPED];
    }
  }

  @Override
  void point(int point) {
    if (mask.keepLast > 0) {
      last[(int) (seen % mask.keepLast)] = point;
    }
    seen++;
  }

  /** Writes the stars that are sure by now. */
  void flush(JsonSink out) throws UnprocessableBody {
    hideUpTo(seen - mask.keepLast, out);
  }

  /** The value does not end well: all of it that was seen is hidden. */
  void giveUp(JsonSink out) throws UnprocessableBody {
    hideUpTo(seen, out);
  }

  void finish(JsonSink out) throws UnprocessableBody {
    end();
    int kept = mask.kept(seen);
    hideUpTo(seen - kept, out);
    int length = 0;
    for (long i = seen - kept; i < seen; i++) {
      length = write(last[(int) (i % mask.keepLast)], length);
    }
    seen = 0;
    hidden = 0;
    if (length > 0) {
      out.write(written, 0, length);
    }
  }

  /** Writes a character as JSON has it: as itself, or escaped if that cannot be. */
  private int write(int point, int start) {
    int at = start;
    if (point == '"' || point == '\\') {
      written[at++] = '\\';
      written[at++] = (byte) point;
    } else if (point < ' ' || isAlone(point)) {
      written[at++] = '\\';
      written[at++] = 'u';
      for (int shift = 12; shift >= 0; shift -= 4) {
        written[at++] = (byte) Character.forDigit((point >> shift) & 0xf, 16);
      }
    } else {
      at = utf8(point, written, at);
    }
    return at;
  }

  private void hideUpTo(long count, JsonSink out) throws UnprocessableBody {
    if (count > hidden) {
      long more = count - hidden;
      hidden = count;
      stars(more, out);
    }
  }

  static void stars(long count, JsonSink out) throws UnprocessableBody {
    for (long left = count; left > 0; left -= STARS.length) {
      out.write(STARS, 0, (int) Math.min(left, STARS.length));
    }
  }
}
