package dev.gatehouse.policy.attach;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A hash map whose keys are found in the middle of a longer text: a path's prefixes, a host's suffixes. Looking up allocates nothing. A
 * client can choose what is looked up and not what is in it, so it cannot make chains grow.
 */
final class Regions<V> {
  private record Slot<V>(String key, V value) {}

  private final List<@Nullable Slot<V>> slots;
  private final int mask;

  Regions(Map<String, V> entries) {
    int size = Integer.highestOneBit(Math.max(4, entries.size())) * 4;
    slots = new ArrayList<>(Collections.nCopies(size, null));
    mask = size - 1;
    entries.forEach(this::put);
  }

  /** The value of the key {@code text.substring(from, to)}. */
  @Nullable
  V get(String text, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = step(hash, text.charAt(i));
    }
    return get(text, from, to, hash);
  }

  /** As {@link #get(String, int, int)} for who has the hash already, made with {@link #step} from 0. */
  @Nullable
  V get(String text, int from, int to, int hash) {
    for (int i = spread(hash) & mask; ; i = (i + 1) & mask) {
      var slot = slots.get(i);
      if (slot == null) {
        return null;
      }
      if (slot.key.length() == to - from && text.startsWith(slot.key, from)) {
        return slot.value;
      }
    }
  }

  /** The hash of a text with one more character, as {@link String#hashCode} goes. */
  static int step(int hash, char next) {
    return 31 * hash + next;
  }

  private void put(String key, V value) {
    int i = spread(key.hashCode()) & mask;
    while (slots.get(i) != null) {
      i = (i + 1) & mask;
    }
    slots.set(i, new Slot<>(key, value));
  }

  private static int spread(int hash) {
    return hash ^ (hash >>> 15);
  }
}
