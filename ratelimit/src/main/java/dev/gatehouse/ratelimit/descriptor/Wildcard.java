package dev.gatehouse.ratelimit.descriptor;

import java.util.List;

/** A value with one or more {@code *}, each of which stands for any text, also none. The text between them is matched from the left. */
final class Wildcard {
  private final String head;
  private final List<String> middle;
  private final String tail;
  private final int least;

  /** @param pattern with at least one star */
  Wildcard(String pattern) {
    var parts = List.of(pattern.split("\\*", -1));
    this.head = parts.getFirst();
    this.middle = parts.subList(1, parts.size() - 1);
    this.tail = parts.getLast();
    this.least = parts.stream().mapToInt(String::length).sum();
  }

  boolean matches(String value) {
    if (value.length() < least || !value.startsWith(head) || !value.endsWith(tail)) {
      return false;
    }
    int at = head.length();
    int end = value.length() - tail.length();
    for (var part : middle) {
      int found = value.indexOf(part, at);
      if (found < 0 || found + part.length() > end) {
        return false;
      }
      at = found + part.length();
    }
    return true;
  }
}
