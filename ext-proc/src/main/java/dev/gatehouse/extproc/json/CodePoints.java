package dev.gatehouse.extproc.json;

/**
 * Reads what a JSON string says, from bytes as they come: a piece may end anywhere, also inside an escape or a character. Takes only
 * what {@link JsonWalk} has found to be well-formed, without the quotes.
 */
abstract class CodePoints {
  private static final int PLAIN = 0;
  private static final int MULTI_BYTE = 1;
  private static final int ESCAPE = 2;
  private static final int HEX = 3;

  private int state;
  private int left;
  private int value;

  /** The first half of a pair that was written as two escapes (RFC 8259 section 7), 0 if there is none. */
  private int high;

  /** @param point a lone surrogate too, which only escapes can write */
  abstract void point(int point);

  void begin() {
    state = PLAIN;
    high = 0;
  }

  final void take(byte[] in, int from, int to) {
    for (int i = from; i < to; i++) {
      int b = in[i] & 0xff;
      switch (state) {
        case PLAIN -> plain(b);
        case MULTI_BYTE -> {
          value = (value << 6) | (b & 0x3f);
          if (--left == 0) {
            state = PLAIN;
            whole(value);
          }
        }
        case ESCAPE -> escape(b);
        case HEX -> {
          value = (value << 4) | Character.digit(b, 16);
          if (--left == 0) {
            state = PLAIN;
            unit(value);
          }
        }
        default -> throw new IllegalStateException();
      }
    }
  }

  /** The string's end. */
  final void end() {
    lone();
  }

  private void plain(int b) {
    if (b == '\\') {
      state = ESCAPE;
    } else if (b < 0x80) {
      whole(b);
    } else {
      state = MULTI_BYTE;
      left = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
      value = b & (0x3f >> left);
    }
  }

  private void escape(int b) {
    state = PLAIN;
    switch (b) {
      case 'b' -> whole('\b');
      case 'f' -> whole('\f');
      case 'n' -> whole('\n');
      case 'r' -> whole('\r');
      case 't' -> whole('\t');
      case 'u' -> {
        state = HEX;
        left = 4;
        value = 0;
      }
      default -> whole(b);
    }
  }

  private void unit(int unit) {
    if (high != 0 && Character.isLowSurrogate((char) unit)) {
      int pair = Character.toCodePoint((char) high, (char) unit);
      high = 0;
      point(pair);
      return;
    }
    lone();
    if (Character.isHighSurrogate((char) unit)) {
      high = unit;
    } else {
      point(unit);
    }
  }

  private void whole(int point) {
    lone();
    point(point);
  }

  private void lone() {
    if (high != 0) {
      int alone = high;
      high = 0;
      point(alone);
    }
  }

  /** Whether it is half a character, which only escapes can write and UTF-8 cannot. */
  static boolean isAlone(int point) {
    return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
  }

  /** How many bytes it has in UTF-8. */
  static int size(int point) {
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }

  /** @return the place after */
  static int utf8(int point, byte[] out, int start) {
    int size = size(point);
    if (size == 1) {
      out[start] = (byte) point;
      return start + 1;
    }
    int at = start;
    out[at++] = (byte) ((0xf00 >> size) | (point >> (6 * (size - 1))));
    for (int rest = size - 2; rest >= 0; rest--) {
      out[at++] = (byte) (0x80 | ((point >> (6 * rest)) & 0x3f));
    }
    return at;
  }

  /** How many characters these bytes are, in UTF-8 that is well-formed. */
  static int count(byte[] in, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++) {
      count += (in[i] & 0xc0) == 0x80 ? 0 : 1;
    }
    return count;
  }

  /** Where the character begins that ends here, in UTF-8 that is well-formed. */
  static int before(byte[] in, int end) {
    int at = end - 1;
    while ((in[at] & 0xc0) == 0x80) {
      at--;
    }
    return at;
  }
}
