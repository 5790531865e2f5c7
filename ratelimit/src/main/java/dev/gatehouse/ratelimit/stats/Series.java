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

  /** @param labels of two names that are the same to Prometheus, the first holds */
  static Series of(String metric, Map<String, String> labels) {
    var series = new Series(metric, "");
    for (var label : labels.entrySet()) {
      series = series.with(label.getKey(), label.getValue());
    }
    return series;
  }

  /** With one label more, whose name is made one that Prometheus allows; the same if there is one of that name. */
  Series with(String name, String value) {
    var allowed = allowed(name);
    if (has(allowed)) {
      return this;
    }
    var text = new StringBuilder(labels);
    if (!text.isEmpty()) {
      text.append(',');
    }
    text.append(allowed).append("=\"");
    escape(value, text);
    return new Series(metric, text.append('"').toString());
  }

  /** One name that is not allowed would make Prometheus refuse the whole page, and so would a second {@code le} in a histogram. */
  private static String allowed(String name) {
    if (name.equals("le")) {
      return "le_";
    }
    var metric = Mapping.unmapped(name).metric().replace(':', '_');
    return metric.isEmpty() ? "_" : metric;
  }

  private boolean has(String name) {
    int at = 0;
    while (at < labels.length()) {
      int equals = labels.indexOf('=', at);
      if (equals - at == name.length() && labels.startsWith(name, at)) {
        return true;
      }
      at = equals + 2;
      while (labels.charAt(at) != '"') {
        at += labels.charAt(at) == '\\' ? 2 : 1;
      }
      at += 2; // the quote and the comma
    }
    return false;
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
