package dev.gatehouse.policy.attach;

import java.util.Collection;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** Says in messages which names there are, and which of them was probably meant. */
public final class Names {
  private static final int SHOWN = 10;

  private Names() {}

  /** Such as {@code (did you mean "shop/orders"? there are: shop/orders, shop/public)}. */
  public static String thereAre(String wanted, Collection<String> names) {
    if (names.isEmpty()) {
      return "(there is none)";
    }
    var sorted = names.stream().sorted().distinct().toList();
    var shown = String.join(", ", sorted.subList(0, Math.min(SHOWN, sorted.size())));
    var rest = sorted.size() > SHOWN ? " and " + (sorted.size() - SHOWN) + " more" : "";
    var nearest = nearest(wanted, sorted);
    var guess = nearest == null ? "" : "did you mean \"" + nearest + "\"? ";
    return "(" + guess + "there are: " + shown + rest + ")";
  }

  /** The name that is at most a third of its letters away; null if there is none. */
  private static @Nullable String nearest(String wanted, Collection<String> names) {
    return names.stream()
        .filter(name -> distance(wanted, name) <= Math.max(1, Math.min(3, name.length() / 3)))
        .min(Comparator.comparingInt(name -> distance(wanted, name)))
        .orElse(null);
  }

  /** Levenshtein's: how many letters to change, add or remove. */
  private static int distance(String a, String b) {
    var before = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      before[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      var row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        var change = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(change, Math.min(before[j], row[j - 1]) + 1);
      }
      before = row;
    }
    return before[b.length()];
  }
}
