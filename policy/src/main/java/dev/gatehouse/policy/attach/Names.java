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
    var sorted = names.stream().sorted().distinct().toList();
    var shown = String.join(", ", sorted.subList(0, Math.min(SHOWN, sorted.size())));
    var rest = sorted.size() > SHOWN ? " and " + (sorted.size() - SHOWN) + " more" : "";
    var nearest = Shown.closest(wanted, sorted);
    var guess = nearest == null ? "" : "did you mean \"" + nearest + "\"? ";
    return "(" + guess + "there are: " + shown + rest + ")";
  }
}
