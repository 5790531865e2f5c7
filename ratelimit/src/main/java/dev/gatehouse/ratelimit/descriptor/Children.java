package dev.gatehouse.ratelimit.descriptor;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values by text, put there while a tree is built. Most levels have one alone, and of a tree with thousands of rules none of it is in the
 * processor's cache: a hash table would be three more places in memory to wait for, at each level.
 */
final class Children<V> {
  private @Nullable String onlyText;
  private @Nullable V only;

  /** Null while there is one at most. */
  private @Nullable Map<String, V> many;

  @Nullable
  V get(String text) {
    if (many != null) {
      return many.get(text);
    }
    return text.equals(onlyText) ? only : null;
  }

  void put(String text, V value) {
    if (many == null && (onlyText == null || onlyText.equals(text))) {
      onlyText = text;
      only = value;
      return;
    }
    if (many == null) {
      many = new HashMap<>();
      if (onlyText != null && only != null) {
        many.put(onlyText, only);
      }
    }
    many.put(text, value);
  }

  Collection<V> values() {
    if (many != null) {
      return many.values();
    }
    return only == null ? List.of() : List.of(only);
  }
}
