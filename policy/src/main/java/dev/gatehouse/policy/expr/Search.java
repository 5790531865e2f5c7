package dev.gatehouse.policy.expr;

/** Whether one text is in another, in linear time: Java's own compares as often as there are pairs of characters, where both repeat one. */
final class Search {
  /** Pairs of characters that may be compared without more ado. */
  private static final long FEW = 20_000;

  private Search() {}

  /** Knuth, Morris and Pratt's. */
  static boolean contains(String text, String wanted) {
    if (wanted.isEmpty() || (long) text.length() * wanted.length() <= FEW) {
      return text.contains(wanted);
    }
    if (wanted.length() > text.length()) {
      return false;
    }
    var borders = borders(wanted);
    var matched = 0;
    for (var i = 0; i < text.length(); i++) {
      while (matched > 0 && text.charAt(i) != wanted.charAt(matched)) {
        matched = borders[matched - 1];
      }
      if (text.charAt(i) == wanted.charAt(matched) && ++matched == wanted.length()) {
        return true;
      }
    }
    return false;
  }

  /** By the length of what has matched, less one: how much of its end is a beginning of the text, too. */
  private static int[] borders(String wanted) {
    var borders = new int[wanted.length()];
    var matched = 0;
    for (var i = 1; i < borders.length; i++) {
      while (matched > 0 && wanted.charAt(i) != wanted.charAt(matched)) {
        matched = borders[matched - 1];
      }
      if (wanted.charAt(i) == wanted.charAt(matched)) {
        matched++;
      }
      borders[i] = matched;
    }
    return borders;
  }
}
