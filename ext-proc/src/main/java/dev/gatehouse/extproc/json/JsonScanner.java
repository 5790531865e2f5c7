package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Walks one JSON text (RFC 8259) in UTF-8 by byte offsets, strictly: what it accepts has one meaning only, so that no upstream or
 * client can read something else in it than a mask did. Library parsers say neither where a token's bytes are nor refuse overlong
 * UTF-8.
 */
final class JsonScanner {
  /** Deeper texts are refused. */
  static final int MAX_DEPTH = 512;

  private final byte[] in;
  private int at;

  /** Whether the string that was walked last has escapes in it. */
  private boolean escaped;

  JsonScanner(byte[] in) {
    this.in = in;
    if (in.length >= 3 && in[0] == (byte) 0xef && in[1] == (byte) 0xbb && in[2] == (byte) 0xbf) {
      at = 3; // A byte order mark, which some writers put before UTF-8 and parsers may ignore
      // (section 8.1).
    }
  }

  int at() {
    return at;
  }

  void moveTo(int offset) {
    at = offset;
  }

  boolean escaped() {
    return escaped;
  }

  /** The next byte after white space, which is not taken yet. */
  byte peek() throws UnprocessableBody {
    while (at < in.length) {
      var c = in[at];
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        return c;
      }
      at++;
    }
    throw new UnprocessableBody("the JSON text ends early");
  }

  void take(char expected) throws UnprocessableBody {
    if (peek() != expected) {
      throw bad();
    }
    at++;
  }

  /** Takes the byte if it is the next one after white space. */
  boolean took(char wanted) throws UnprocessableBody {
    if (peek() != wanted) {
      return false;
    }
    at++;
    return true;
  }

  void end() throws UnprocessableBody {
    while (at < in.length) {
      var c = in[at];
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        throw new UnprocessableBody("something follows the JSON text");
      }
      at++;
    }
  }

  /** @param depth of the value that begins here, 0 for the whole text */
  static void checkDepth(int depth) throws UnprocessableBody {
    if (depth >= MAX_DEPTH) {
      throw new UnprocessableBody(
          "the JSON text is nested more than " + MAX_DEPTH + " levels deep");
    }
  }

  void value(int depth) throws UnprocessableBody {
    switch (peek()) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      default -> literal();
    }
  }

  private void object(int depth) throws UnprocessableBody {
    checkDepth(depth);
    at++;
    if (took('}')) {
      return;
    }
    do {
      peek();
      string();
      take(':');
      value(depth + 1);
    } while (took(','));
    take('}');
  }

  private void array(int depth) throws UnprocessableBody {
    checkDepth(depth);
    at++;
    if (took(']')) {
      return;
    }
    do {
      value(depth + 1);
    } while (took(','));
    take(']');
  }

  /** A string that begins here; {@link #at} is after its closing quote then. */
  void string() throws UnprocessableBody {
    if (at >= in.length || in[at] != '"') {
      throw bad();
    }
    escaped = false;
    at++;
    while (at < in.length) {
      var c = in[at];
      if (c == '"') {
        at++;
        return;
      }
      if (c == '\\') {
        escaped = true;
        escape();
      } else if (c < 0) {
        multiByte();
      } else if (c < ' ') {
        throw bad();
      } else {
        at++;
      }
    }
    throw new UnprocessableBody("the JSON text ends early");
  }

  /** {@code null}, {@code true}, {@code false} or a number. */
  void literal() throws UnprocessableBody {
    switch (peek()) {
      case 'n' -> word("null");
      case 't' -> word("true");
      case 'f' -> word("false");
      default -> number();
    }
  }

  private void word(String word) throws UnprocessableBody {
    for (var i = 0; i < word.length(); i++) {
      if (at >= in.length || in[at] != word.charAt(i)) {
        throw bad();
      }
      at++;
    }
  }

  private void number() throws UnprocessableBody {
    if (has('-')) {
      at++;
    }
    if (has('0')) {
      at++;
    } else {
      digits();
    }
    if (has('.')) {
      at++;
      digits();
    }
    if (has('e') || has('E')) {
      at++;
      if (has('+') || has('-')) {
        at++;
      }
      digits();
    }
  }

  private void digits() throws UnprocessableBody {
    var begin = at;
    while (at < in.length && in[at] >= '0' && in[at] <= '9') {
      at++;
    }
    if (at == begin) {
      throw bad();
    }
  }

  private boolean has(char c) {
    return at < in.length && in[at] == c;
  }

  private void escape() throws UnprocessableBody {
    if (at + 1 >= in.length) {
      throw bad();
    }
    switch (in[at + 1]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> at += 2;
      case 'u' -> {
        if (at + 6 > in.length) {
          throw bad();
        }
        for (var i = at + 2; i < at + 6; i++) {
          if (Character.digit(in[i], 16) < 0) {
            throw bad();
          }
        }
        at += 6;
      }
      default -> throw bad();
    }
  }

  /** One character of several bytes (RFC 3629 section 4): no overlong form, no surrogate, nothing above U+10FFFF. */
  private void multiByte() throws UnprocessableBody {
    var b0 = in[at] & 0xff;
    var b1 = at + 1 < in.length ? in[at + 1] & 0xff : 0;
    var length = b0 >= 0xc2 && b0 <= 0xdf
        ? 2
        : b0 >= 0xe0 && b0 <= 0xef ? 3 : b0 >= 0xf0 && b0 <= 0xf4 ? 4 : 0;
    var low = b0 == 0xe0 ? 0xa0 : b0 == 0xf0 ? 0x90 : 0x80;
    var high = b0 == 0xed ? 0x9f : b0 == 0xf4 ? 0x8f : 0xbf;
    if (length == 0 || at + length > in.length || b1 < low || b1 > high) {
      throw new UnprocessableBody("the body is not UTF-8");
    }
    for (var i = at + 2; i < at + length; i++) {
      if ((in[i] & 0xc0) != 0x80) {
        throw new UnprocessableBody("the body is not UTF-8");
      }
    }
    at += length;
  }

  /** What the string between these offsets, quotes included, says. */
  String text(int start, int end, boolean hasEscapes) {
    var raw = new String(in, start + 1, end - start - 2, StandardCharsets.UTF_8);
    if (!hasEscapes) {
      return raw;
    }
    var out = new StringBuilder(raw.length());
    var i = 0;
    while (i < raw.length()) {
      var c = raw.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      var escape = raw.charAt(i++);
      switch (escape) {
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'u' -> {
          out.append((char) Integer.parseInt(raw, i, i + 4, 16));
          i += 4;
        }
        default -> out.append(escape);
      }
    }
    return out.toString();
  }

  boolean says(int start, int end, byte[] utf8) {
    return Arrays.equals(in, start + 1, end - 1, utf8, 0, utf8.length);
  }

  /** A string as JSON writes it, quotes included. */
  static byte[] quote(String text) {
    var out = new StringBuilder(text.length() + 8).append('"');
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      var alone = Character.isSurrogate(c)
          && !(Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1)));
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ' || alone) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
        if (Character.isHighSurrogate(c)) {
          out.append(text.charAt(++i));
        }
      }
    }
    return out.append('"').toString().getBytes(StandardCharsets.UTF_8);
  }

  private UnprocessableBody bad() {
    return new UnprocessableBody("the body is not JSON (at byte " + at + ")");
  }
}
