package dev.gatehouse.policy.resource;

import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How messages show what a file says: short, on one line, and with what was perhaps meant. */
public final class Shown {
  private static final int MAX = 80;

  private Shown() {}

  /** The text on one line, cut after {@value #MAX} characters, control characters replaced. */
  static String of(String text) {
    var cut = text.length() <= MAX ? text : text.substring(0, MAX) + "…";
    var shown = new StringBuilder(cut.length());
    cut.codePoints().forEach(c -> shown.appendCodePoint(Character.isISOControl(c) ? '\uFFFD' : c));
    return shown.toString();
  }

  /** {@code (did you mean "audiences"?)} with a space before it, or nothing. */
  static String didYouMean(String given, Collection<String> known) {
    var best = closest(given, known);
    return best == null ? "" : " (did you mean \"" + best + "\"?)";
  }

  /** The known name that is a typing error away, or the only one that begins like this; or null. */
  public static @Nullable String closest(String given, Collection<String> known) {
    var nearest = nearest(given, known);
    return nearest == null && given.length() > 2 ? onlyOneLike(given, known) : nearest;
  }

  private static @Nullable String onlyOneLike(String beginning, Collection<String> known) {
    var like = known.stream()
        .filter(name -> name.regionMatches(true, 0, beginning, 0, beginning.length()))
        .toList();
    return like.size() == 1 ? like.getFirst() : null;
  }

  private static @Nullable String nearest(String given, Collection<String> known) {
    String best = null;
    int least = Math.max(1, Math.min(given.length(), 64) / 4) + 1;
    for (var name : known) {
      if (Math.abs(name.length() - given.length()) >= least) {
        continue;
      }
      int distance = distance(given.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT));
      if (distance < least) {
        least = distance;
        best = name;
      }
    }
    return best;
  }

  /** Edits (insert, delete, replace, swap neighbours) between two short names. */
  private static int distance(String a, String b) {
    int[] before = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    int[] now = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      last[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      now[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        now[j] = Math.min(replace, Math.min(last[j], now[j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          now[j] = Math.min(now[j], before[j - 2] + 1);
        }
      }
      var spare = before;
      before = last;
      last = now;
      now = spare;
    }
    return last[b.length()];
  }
}
