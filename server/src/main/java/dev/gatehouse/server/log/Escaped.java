package dev.gatehouse.server.log;

/** Text as a log may hold it: nothing in it can end a line, move a terminal's cursor or end a JSON string. */
final class Escaped {
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private Escaped() {}

  /** Appends the text as the inside of a JSON string. */
  static void json(StringBuilder to, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        to.append('\\').append(c);
      } else {
        printable(to, c);
      }
    }
  }

  /** Appends the text for people, control characters as JSON writes them. */
  static void text(StringBuilder to, String text) {
    for (int i = 0; i < text.length(); i++) {
      printable(to, text.charAt(i));
    }
  }

  private static void printable(StringBuilder to, char c) {
    switch (c) {
      case '\n' -> to.append("\\n");
      case '\r' -> to.append("\\r");
      case '\t' -> to.append("\\t");
      default -> {
        if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
          to.append("\\u")
              .append(HEX[c >> 12])
              .append(HEX[c >> 8 & 15])
              .append(HEX[c >> 4 & 15])
              .append(HEX[c & 15]);
        } else {
          to.append(c);
        }
      }
    }
  }
}
