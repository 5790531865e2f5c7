package dev.gatehouse.policy.attach;

/**
 * Whether a path has one reading only. Who matches routes by a path that the client chose must not read it otherwise than Envoy, and
 * Envoy not otherwise than the upstream. What {@code wire} writes, and what Envoy's own advice for an edge proxy is, normalises paths
 * before anybody sees them; a path that is not normalised has not come that way, so nobody can say which route it takes.
 *
 * <p>Clean is a path that begins with a slash and holds only visible ASCII, no {@code #}, no backslash, no empty or dot element (nor one
 * with parameters, {@code /..;x/} or {@code /;x/}, which a servlet container takes for one), no percent-encoded slash, backslash, control
 * or unreserved character (RFC 3986, section 6.2.2.2: normalising decodes those), no overlong UTF-8 (RFC 3629, section 3: {@code %c0%af} is
 * a slash to some) and no percent sign that encodes nothing.
 */
final class CleanPath {
  private CleanPath() {}

  /** @param end where the query begins, or the text's length */
  static boolean is(String path, int end) {
    if (end == 0 || path.charAt(0) != '/') {
      return false;
    }
    for (int i = 0; i < end; i++) {
      char c = path.charAt(i);
      if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\') {
        return false;
      }
      if (c == '/' && !element(path, i + 1, end)) {
        return false;
      }
      if (c == '%' && !encoded(path, i, end)) {
        return false;
      }
    }
    return true;
  }

  /** The element that begins here: not empty unless it is the last, and not dots; whatever parameters it has. */
  private static boolean element(String path, int start, int end) {
    int i = start;
    while (i < end && i < start + 2 && path.charAt(i) == '.') {
      i++;
    }
    boolean parameters =
        i < end && (path.charAt(i) == ';' || path.regionMatches(true, i, "%3b", 0, 3));
    if (i < end && path.charAt(i) != '/' && !parameters) {
      return true;
    }
    int slash = path.indexOf('/', i);
    return i == start && (slash < 0 || slash >= end);
  }

  private static boolean encoded(String path, int percent, int end) {
    if (percent + 2 >= end) {
      return false;
    }
    int c = octet(path, percent);
    if (c < 0 || overlong(c, percent + 5 < end ? octet(path, percent + 3) : -1)) {
      return false;
    }
    boolean control = c < ' ' || c == 0x7f;
    boolean unreserved = (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '.'
        || c == '_'
        || c == '~';
    return !control && !unreserved && c != '/' && c != '\\';
  }

  /** Whether the octets begin a character in a longer form than it has; -1 for what is none. */
  private static boolean overlong(int lead, int next) {
    return switch (lead) {
      case 0xc0, 0xc1 -> true;
      case 0xe0 -> next >= 0x80 && next < 0xa0;
      case 0xf0 -> next >= 0x80 && next < 0x90;
      default -> false;
    };
  }

  /** What the escape stands for; -1 if it is none. */
  private static int octet(String path, int percent) {
    if (path.charAt(percent) != '%') {
      return -1;
    }
    int high = Character.digit(path.charAt(percent + 1), 16);
    int low = Character.digit(path.charAt(percent + 2), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
