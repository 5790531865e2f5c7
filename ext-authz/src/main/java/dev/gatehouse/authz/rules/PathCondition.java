package dev.gatehouse.authz.rules;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.StringMatch;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A condition on the path without the query, compared as it came. A path that an upstream may read as another one (dot segments,
 * empty segments, parameters, encoded or odd separators, a fragment, double encoding; the CVEs are in docs/security.md) is unsure,
 * whatever the condition. So is one with escapes for which the condition holds only as it came, or only decoded: upstreams decode.
 */
final class PathCondition {
  private static final boolean[] PLAIN = plain();

  private final StringMatch match;
  private final Pattern pattern;
  private final boolean inverted;
  private final String decodedValue;

  private PathCondition(StringMatch match, Pattern pattern, boolean inverted) {
    var decoded = decoded(match.value());
    this.match = match;
    this.pattern = pattern;
    this.inverted = inverted;
    this.decodedValue = decoded == null ? match.value() : decoded;
  }

  /**
   * @param inverted whether the path must not be that
   * @throws IllegalArgumentException saying what cannot be compiled
   */
  static PathCondition of(StringMatch match, boolean inverted) {
    if (match.type() == StringMatch.Type.DISTINCT) {
      throw new IllegalArgumentException(
          "Distinct (expected: Exact, PathPrefix or RegularExpression)");
    }
    boolean regex = match.type() == StringMatch.Type.REGULAR_EXPRESSION;
    try {
      return new PathCondition(match, Pattern.compile(regex ? match.value() : ""), inverted);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "\"" + match.value() + "\" is no RE2 regular expression: " + e.getDescription(), e);
    }
  }

  @Override
  public String toString() {
    return match.type() + " " + match.value();
  }

  Answer holds(String path) {
    if (ambiguous(path)) {
      return Answer.UNSURE;
    }
    boolean holds = matches(path, match.value());
    if (path.indexOf('%') < 0 && decodedValue.equals(match.value())) {
      return Answer.of(inverted != holds);
    }
    var decoded = decoded(path);
    return decoded != null && matches(decoded, decodedValue) == holds
        ? Answer.of(inverted != holds)
        : Answer.UNSURE;
  }

  private boolean matches(String path, String value) {
    return switch (match.type()) {
      case EXACT -> path.equals(value);
      case PATH_PREFIX -> below(path, value);
      case REGULAR_EXPRESSION -> pattern.matches(path);
      case DISTINCT -> false;
    };
  }

  /** By path element: {@code /a} holds for {@code /a} and {@code /a/b}, not for {@code /ab}. */
  private static boolean below(String path, String prefix) {
    int length = prefix.endsWith("/") ? prefix.length() - 1 : prefix.length();
    return path.regionMatches(0, prefix, 0, length)
        && (path.length() == length || path.charAt(length) == '/');
  }

  private static boolean ambiguous(String path) {
    if (path.isEmpty() || path.charAt(0) != '/') {
      return true; // CONNECT's authority, OPTIONS *, or nothing
    }
    int segment = 1;
    for (int i = 1; i <= path.length(); i++) {
      char c = i < path.length() ? path.charAt(i) : '/';
      if (c < PLAIN.length && PLAIN[c]) {
        continue;
      }
      if (c == '/') {
        if ((i < path.length() && i == segment) || dots(path, segment, i)) {
          return true;
        }
        segment = i + 1;
      } else if (c <= ' ' || c >= 0x7f || c == '#' || c == ';' || c == '\\' || c == '?') {
        return true;
      } else if (c == '%' && oddEscape(path, i)) {
        return true;
      }
    }
    return false;
  }

  /** Letters, digits and dashes, of which most paths are: nobody reads them in another way. */
  private static boolean[] plain() {
    var plain = new boolean[128];
    for (char c = 0; c < plain.length; c++) {
      plain[c] =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    }
    return plain;
  }

  private static boolean dots(String path, int from, int to) {
    int length = to - from;
    return (length == 1 || length == 2) && path.charAt(from) == '.' && path.charAt(to - 1) == '.';
  }

  /** Not two hexadecimal digits, or the escape of something with a meaning of its own in a path. */
  private static boolean oddEscape(String path, int percent) {
    int octet = octet(path, percent);
    return switch (octet) {
      case -1, '/', '\\', '.', ';', '#', '?', '%' -> true;
      default -> octet < ' ' || octet == 0x7f;
    };
  }

  /** RFC 3986 §2.1, as UTF-8; null if it is not that (an overlong {@code %c0%af} is a slash to some). The text itself if there is no escape. */
  private static @Nullable String decoded(String path) {
    if (path.indexOf('%') < 0) {
      return path;
    }
    var bytes = new ByteArrayOutputStream(path.length());
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c == '%') {
        int octet = octet(path, i);
        if (octet < 0) {
          return null;
        }
        bytes.write(octet);
        i += 2;
      } else {
        bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
      }
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException _) {
      return null;
    }
  }

  /** What the escape stands for; -1 if it is none. */
  private static int octet(String path, int percent) {
    if (percent + 2 >= path.length()) {
      return -1;
    }
    int high = hex(path.charAt(percent + 1));
    int low = hex(path.charAt(percent + 2));
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  /** ASCII only: {@link Character#digit} takes the digits of every script. */
  private static int hex(char c) {
    return c < 0x80 ? Character.digit(c, 16) : -1;
  }
}
