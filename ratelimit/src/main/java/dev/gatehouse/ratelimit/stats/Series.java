package dev.gatehouse.ratelimit.stats;

import java.util.Map;

/**
 * A time series of Prometheus.
 *
 * @param metric its name; empty if the mapping drops it
 * @param labels as the page has them, {@code name="value",…} without braces; empty if there are none
 */
record Series(String metric, String labels) {
  static final Series DROPPED = new Series("", "");

  boolean dropped() {
    return metric.isEmpty();
  }

  static Series of(String metric, Map<String, String> labels) {
    var text = new StringBuilder();
    labels.forEach((name, value) -> {
      if (!text.isEmpty()) {
        text.append(',');
      }
      text.append(name).append("=\"");
      escape(value, text);
      text.append('"');
    });
    return new Series(metric, text.toString());
  }

  /** The exposition format escapes these three and no other. */
  private static void escape(String value, StringBuilder text) {
    for (int i = 0; i < value.length(); i++) {
      switch (value.charAt(i)) {
        case '\\' -> text.append("\\\\");
        case '"' -> text.append("\\\"");
        case '\n' -> text.append("\\n");
        default -> text.append(value.charAt(i));
      }
    }
  }
}
