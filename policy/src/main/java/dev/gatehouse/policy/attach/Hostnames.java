package dev.gatehouse.policy.attach;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Hostnames as Gateway API has them: exact, or with {@code *.} in front for one label or more, or {@code *} for any. All in lower
 * case, because DNS knows no other.
 */
final class Hostnames {
  static final String ANY = "*";

  private Hostnames() {}

  /**
   * What a listener and a route agree on: of each two the narrower, where one covers the other (HTTPRouteSpec.hostnames). Empty when
   * they agree on nothing.
   *
   * @param listener null means any
   * @param route empty means any
   */
  static List<String> agreed(@Nullable String listener, List<String> route) {
    var offered = listener == null || listener.isEmpty() ? ANY : lower(listener);
    if (route.isEmpty()) {
      return List.of(offered);
    }
    var agreed = new ArrayList<String>();
    for (var hostname : route) {
      var wanted = lower(hostname);
      if (covers(offered, wanted)) {
        agreed.add(wanted);
      } else if (covers(wanted, offered)) {
        agreed.add(offered);
      }
    }
    return agreed.stream().distinct().toList();
  }

  /** Whether every host that {@code narrow} stands for is one of {@code wide}'s. */
  static boolean covers(String wide, String narrow) {
    if (wide.equals(ANY) || wide.equals(narrow)) {
      return true;
    }
    return wide.startsWith("*.")
        && narrow.length() > wide.length() - 1
        && narrow.endsWith(wide.substring(1));
  }

  private static String lower(String hostname) {
    return hostname.toLowerCase(Locale.ROOT);
  }
}
