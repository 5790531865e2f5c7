package dev.gatehouse.authz.rules;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.StringMatch;

/**
 * A condition on the path without the query, percent-encoding kept. A path that an upstream may read as another one (dot segments,
 * empty segments, parameters, encoded or odd separators, a fragment, double encoding; the CVEs are in docs/security.md) is unsure,
 * whatever the condition.
 */
final class PathCondition {
  private final StringMatch match;
  private final Pattern pattern;
  private final boolean inverted;

  private PathCondition(StringMatch match, Pattern pattern, boolean inverted) {
    this.match = match;
    this.pattern = pattern;
    this.inverted = inverted;
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
    return Answer.of(inverted != matches(path));
  }

  private boolean matches(String path) {
    return switch (match.type()) {
      case EXACT -> path.equals(match.value());
      case PATH_PREFIX -> below(path, match.value());
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

  private static boolean dots(String path, int from, int to) {
    int length = to - from;
    return (length == 1 || length == 2) && path.charAt(from) == '.' && path.charAt(to - 1) == '.';
  }

  /** Not two hexadecimal digits, or the escape of something with a meaning of its own in a path. */
  private static boolean oddEscape(String path, int percent) {
    if (percent + 2 >= path.length()) {
      return true;
    }
    int high = Character.digit(path.charAt(percent + 1), 16);
    int low = Character.digit(path.charAt(percent + 2), 16);
    if (high < 0 || low < 0) {
      return true;
    }
    int octet = high * 16 + low;
    return switch (octet) {
      case '/', '\\', '.', ';', '#', '?', '%' -> true;
      default -> octet < ' ' || octet == 0x7f;
    };
  }
}
