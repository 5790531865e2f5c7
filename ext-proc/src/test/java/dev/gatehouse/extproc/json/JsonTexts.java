package dev.gatehouse.extproc.json;

import java.util.ArrayList;
import java.util.Random;

/** Random JSON texts; the names of one object differ, since a tree keeps one of two. */
record JsonTexts(Random random) {
  static final String[] NAMES = {"a", "b", "c", "0", "1", "ä"};

  String value(int depth) {
    return space()
        + switch (depth > 3 ? 4 + random.nextInt(6) : random.nextInt(10)) {
          case 0, 1 -> object(depth);
          case 2, 3 -> array(depth);
          case 4 -> "true";
          case 5 -> "null";
          case 6 -> Integer.toString(random.nextInt(2000) - 1000);
          case 7 ->
            "\"" + "\\u00e4\\n".repeat(random.nextInt(2)) + "x😀\\\"" + random.nextInt(100) + "\"";
          default -> "\"" + random.nextInt(10_000) + "\"";
        }
        + space();
  }

  private String object(int depth) {
    var members = new ArrayList<String>();
    for (var name : NAMES) {
      if (random.nextInt(3) == 0) {
        var escaped = name.equals("a") && random.nextBoolean() ? "\\u0061" : name;
        members.add(space() + "\"" + escaped + "\"" + space() + ":" + value(depth + 1));
      }
    }
    return "{" + String.join(",", members) + space() + "}";
  }

  private String array(int depth) {
    var elements = new ArrayList<String>();
    for (var i = random.nextInt(4); i > 0; i--) {
      elements.add(value(depth + 1));
    }
    return "[" + String.join(",", elements) + space() + "]";
  }

  private String space() {
    return " ".repeat(random.nextInt(5) == 0 ? 1 : 0);
  }
}
