package dev.gatehouse.extproc.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The strings, numbers and words of a JSON text (RFC 8259) that comes in pieces, read strictly: escapes, numbers and UTF-8 (RFC 3629: no
 * overlong form, no surrogate) have one meaning only. What reads a token returns the place after it, or -1 where the piece ended within;
 * then it goes on at the next piece's first byte.
 */
final class JsonTokens {
  // Where a string was left when a piece ended.
  private static final int PLAIN = 0;
  private static final int ESCAPE = 1;
  private static final int HEX = 2;
  private static final int UTF8 = 3;

  // What a number has come to.
  private static final int SIGN = 0;
  private static final int FIRST_DIGIT = 1;
  private static final int ZERO = 2;
  private static final int INTEGER = 3;
  private static final int POINT = 4;
  private static final int FRACTION = 5;
  private static final int EXPONENT = 6;
  private static final int EXPONENT_DIGIT = 7;
  private static final int EXPONENT_DIGITS = 8;

  private static final byte[] TRUE = ascii("true");
  private static final byte[] FALSE = ascii("false");
  private static final byte[] NULL = ascii("null");

  // Eight bytes at once.
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGHS = 0x8080808080808080L;
  private static final long QUOTES = '"' * ONES;
  private static final long BACKSLASHES = '\\' * ONES;
  private static final long SPACES = ' ' * ONES;

  private long received;
  private int pieceEnd;

  private int left = PLAIN;
  private int leftCount;
  private int leftLow;
  private int leftHigh;
  private boolean escaped;
  private boolean multiByte;

  private boolean inNumber;
  private int number;
  private byte[] word = TRUE;
  private int wordAt;

  void pieceBegins(int start, int end) {
    received += end - start;
    pieceEnd = end;
  }

  /** How many bytes there have been, all of the piece at hand with them. */
  long received() {
    return received;
  }

  /** Before a string: forgets what the last one had in it. */
  void stringBegins() {
    escaped = false;
    multiByte = false;
  }

  /** Whether there are escapes in the string, as far as it has come. */
  boolean escaped() {
    return escaped;
  }

  /** Whether each character of the string is one byte. */
  boolean isAscii() {
    return !multiByte;
  }

  /** @param start after the opening quote, or anywhere within where the last piece ended there */
  int string(byte[] in, int start, int end) throws UnprocessableBody {
    if (left != PLAIN) {
      return restOfString(in, resume(in, start, end), end);
    }
    int at = plain(in, start, end);
    return at < end && in[at] == '"' ? at + 1 : restOfString(in, at, end);
  }

  private int restOfString(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (at >= 0) {
      at = plain(in, at, end);
      if (at == end) {
        return -1;
      }
      byte c = in[at];
      if (c == '"') {
        return at + 1;
      }
      if (c == '\\') {
        escaped = true;
        at = escape(in, at + 1, end);
      } else if (c < 0) {
        multiByte = true;
        at = multiByte(in, at, end);
      } else {
        throw bad(at);
      }
    }
    return -1;
  }

  /** The first byte that is not an ordinary character of a string in ASCII. */
  private static int plain(byte[] in, int start, int end) {
    int at = start;
    while (end - at >= Long.BYTES) {
      long bytes = (long) LONG.get(in, at);
      long quotes = bytes ^ QUOTES;
      long backslashes = bytes ^ BACKSLASHES;
      // The high bit of a byte that is 0 after the xor, below 0x20, or not ASCII. A borrow can only
      // reach bytes above one that was
      // found, and the lowest one counts.
      long found = (((quotes - ONES) & ~quotes)
              | ((backslashes - ONES) & ~backslashes)
              | (bytes - SPACES)
              | bytes)
          & HIGHS;
      if (found != 0) {
        return at + (Long.numberOfTrailingZeros(found) >>> 3);
      }
      at += Long.BYTES;
    }
    while (at < end) {
      byte c = in[at];
      if (c < ' ' || c == '"' || c == '\\') {
        return at;
      }
      at++;
    }
    return at;
  }

  private int resume(byte[] in, int at, int end) throws UnprocessableBody {
    int what = left;
    left = PLAIN;
    return switch (what) {
      case ESCAPE -> escape(in, at, end);
      case HEX -> hex(in, at, end, leftCount);
      default -> continuation(in, at, end, leftCount, leftLow, leftHigh);
    };
  }

  /** @param at after the backslash */
  private int escape(byte[] in, int at, int end) throws UnprocessableBody {
    if (at == end) {
      left = ESCAPE;
      return -1;
    }
    return switch (in[at]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> at + 1;
      case 'u' -> hex(in, at + 1, end, 4);
      default -> throw bad(at);
    };
  }

  private int hex(byte[] in, int start, int end, int count) throws UnprocessableBody {
    int at = start;
    for (int missing = count; missing > 0; missing--) {
      if (at == end) {
        left = HEX;
        leftCount = missing;
        return -1;
      }
      if (!isHex(in[at])) {
        throw bad(at);
      }
      at++;
    }
    return at;
  }

  private static boolean isHex(byte c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
  }

  /** Characters of several bytes (RFC 3629 section 4): no overlong form, no surrogate, nothing above U+10FFFF. */
  private int multiByte(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (at >= 0 && at < end && in[at] < 0) {
      int first = in[at] & 0xff;
      int count = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
      if (count == 0) {
        throw notUtf8();
      }
      int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
      int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
      at = continuation(in, at + 1, end, count, low, high);
    }
    return at;
  }

  private int continuation(byte[] in, int start, int end, int count, int low, int high)
      throws UnprocessableBody {
    int at = start;
    int least = low;
    int most = high;
    for (int missing = count; missing > 0; missing--) {
      if (at == end) {
        left = UTF8;
        leftCount = missing;
        leftLow = least;
        leftHigh = most;
        return -1;
      }
      int next = in[at] & 0xff;
      if (next < least || next > most) {
        throw notUtf8();
      }
      least = 0x80;
      most = 0xbf;
      at++;
    }
    return at;
  }

  /** A number or one of the three words, whose first byte is here. */
  int literal(byte[] in, int at, int end, byte c) throws UnprocessableBody {
    if (c >= '1' && c <= '9') {
      int after = digits(in, at + 1, end);
      if (end - after >= 2 && in[after] == '.' && in[after + 1] >= '0' && in[after + 1] <= '9') {
        after = digits(in, after + 2, end);
        if (after < end && (in[after] | 0x20) != 'e') {
          return after;
        }
        number = FRACTION;
        inNumber = true;
        return after == end ? -1 : number(in, after, end);
      }
      if (after < end && in[after] != '.' && (in[after] | 0x20) != 'e') {
        return after;
      }
      number = INTEGER;
      inNumber = true;
      return after == end ? -1 : number(in, after, end);
    }
    if (c == '-' || c == '0') {
      number = SIGN;
      inNumber = true;
      return number(in, at, end);
    }
    wordAt = 0;
    word = switch (c) {
      case 't' -> TRUE;
      case 'f' -> FALSE;
      case 'n' -> NULL;
      default -> throw bad(at);
    };
    inNumber = false;
    return word(in, at, end);
  }

  /** Goes on where the last piece ended within a number or word. */
  int resumeLiteral(byte[] in, int at, int end) throws UnprocessableBody {
    return inNumber ? number(in, at, end) : word(in, at, end);
  }

  private int word(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (wordAt < word.length) {
      if (at == end) {
        return -1;
      }
      if (in[at] != word[wordAt]) {
        throw bad(at);
      }
      at++;
      wordAt++;
    }
    wordAt = 0;
    return at;
  }

  private int number(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (at < end) {
      byte c = in[at];
      switch (number) {
        case SIGN -> {
          number = FIRST_DIGIT;
          at += c == '-' ? 1 : 0;
        }
        case FIRST_DIGIT -> {
          number = digit(c, at) == '0' ? ZERO : INTEGER;
          at++;
        }
        case POINT -> {
          digit(c, at);
          number = FRACTION;
          at++;
        }
        case EXPONENT -> {
          number = EXPONENT_DIGIT;
          at += c == '+' || c == '-' ? 1 : 0;
        }
        case EXPONENT_DIGIT -> {
          digit(c, at);
          number = EXPONENT_DIGITS;
          at++;
        }
        default -> { // May be the end.
          if (number != ZERO) {
            at = digits(in, at, end);
            if (at == end) {
              return -1;
            }
            c = in[at];
          }
          if (c == '.' && number < POINT) {
            number = POINT;
          } else if ((c | 0x20) == 'e' && number < EXPONENT) {
            number = EXPONENT;
          } else {
            return at;
          }
          at++;
        }
      }
    }
    return -1;
  }

  /** Whether the text may end here, in a number: only what follows says where one ends. */
  boolean isWholeNumber() {
    return inNumber
        && (number == ZERO || number == INTEGER || number == FRACTION || number == EXPONENT_DIGITS);
  }

  private byte digit(byte c, int at) throws UnprocessableBody {
    if (c < '0' || c > '9') {
      throw bad(at);
    }
    return c;
  }

  private static int digits(byte[] in, int start, int end) {
    int at = start;
    while (at < end && in[at] >= '0' && in[at] <= '9') {
      at++;
    }
    return at;
  }

  /** The first byte that is not white space. */
  static int space(byte[] in, int start, int end) {
    int at = start;
    while (at < end) {
      byte c = in[at];
      if (c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) {
        return at;
      }
      at++;
      while (c == '\n' && end - at >= Long.BYTES && (long) LONG.get(in, at) == SPACES) {
        at += Long.BYTES;
      }
    }
    return at;
  }

  private static UnprocessableBody notUtf8() {
    return new UnprocessableBody("the body is not UTF-8");
  }

  /** @param at the place in the piece at hand */
  UnprocessableBody bad(int at) {
    return new UnprocessableBody(
        "the body is not JSON (at byte " + (received - pieceEnd + at) + ")");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
