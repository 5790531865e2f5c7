package dev.gatehouse.authz.certificate;

import java.util.regex.Pattern;

/** SPIFFE-ID §2: {@code spiffe://trust-domain/path}, no more than 2048 bytes. */
final class SpiffeId {
  private static final int MAX_CHARS = 2048;
  private static final String SCHEME = "spiffe:";

  /** §2.1: lower case letters, digits, dots, dashes, underscores; 255 at most. */
  private static final Pattern TRUST_DOMAIN = Pattern.compile("[a-z0-9._-]{1,255}");

  private SpiffeId() {}

  /** Whether it has the scheme, in whatever case. */
  static boolean claims(String uri) {
    return uri.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
  }

  static boolean valid(String uri) {
    if (uri.length() > MAX_CHARS || !uri.startsWith(SCHEME + "//")) {
      return false;
    }
    int start = SCHEME.length() + 2;
    int slash = uri.indexOf('/', start);
    var domain = uri.substring(start, slash < 0 ? uri.length() : slash);
    return TRUST_DOMAIN.matcher(domain).matches()
        && (slash < 0 || segments(uri.substring(slash + 1)));
  }

  /**
   * §2.2: segments with slashes between, of letters, digits, dots, dashes and underscores; none is empty, {@code .} or {@code ..}, and
   * nothing is percent-encoded.
   */
  static boolean segments(String path) {
    int start = 0;
    for (int i = 0; i <= path.length(); i++) {
      if (i == path.length() || path.charAt(i) == '/') {
        var segment = path.substring(start, i);
        if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
          return false;
        }
        start = i + 1;
      } else if (!allowed(path.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean allowed(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '-'
        || c == '_';
  }
}
