package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Shown;
import java.util.Collection;

/** Says in messages which names there are, and which of them was probably meant. */
public final class Names {
  private static final int SHOWN = 10;

  private Names() {}

  /** Such as {@code (did you mean "shop/orders"? there are: shop/orders, shop/public)}. */
  public static String thereAre(String wanted, Collection<String> names) {
    if (names.isEmpty()) {
      return "(there is none)";
    }
    var nearest = Shown.closest(wanted, names);
    var guess = nearest == null ? "" : "did you mean \"" + nearest + "\"? ";
    return "(" + guess + "there are: " + some(names) + ")";
  }

  /** The first of them by name, and how many more there are. */
  static String some(Collection<String> names) {
    var sorted = names.stream().sorted().distinct().toList();
    var shown = String.join(", ", sorted.subList(0, Math.min(SHOWN, sorted.size())));
    return sorted.size() > SHOWN ? shown + " and " + (sorted.size() - SHOWN) + " more" : shown;
  }
}
