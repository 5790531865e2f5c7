package dev.gatehouse.ratelimit.descriptor;

import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import java.util.List;
import java.util.Objects;

/** The names of limits in the statistics that hold values of the request, as envoyproxy/ratelimit makes them. */
final class Metric {
  private Metric() {}

  /**
   * @param entries which the tree matches from its root to its end
   * @param detailed every value as the request has it, but those that share a counter; else only those of levels that ask for it
   */
  static String of(LimitTree.Node root, String domain, List<Entry> entries, boolean detailed) {
    var text = new StringBuilder(domain);
    var node = root;
    boolean shared = false;
    for (var entry : entries) {
      node = Objects.requireNonNull(node.next(entry));
      shared |= node.step.shared() && !entry.getValue().equals(node.step.value());
      append(text, entry.getKey(), value(node.step, entry.getValue(), detailed));
    }
    return detailed && !shared ? everyValueOf(domain, entries) : text.toString();
  }

  /** With the line before a value that is empty, which the reference writes here and nowhere else. */
  private static String everyValueOf(String domain, List<Entry> entries) {
    var text = new StringBuilder(domain);
    for (var entry : entries) {
      text.append('.').append(entry.getKey()).append('_').append(entry.getValue());
    }
    return text.toString();
  }

  private static String value(Step step, String value, boolean detailed) {
    if (step.wildcard() && step.shared()) {
      return Objects.requireNonNull(step.value());
    }
    if (detailed || step.valueToMetric()) {
      return value;
    }
    return step.value() == null ? "" : step.value();
  }

  static String ofEntries(String domain, List<Entry> entries) {
    var text = new StringBuilder(domain);
    for (var entry : entries) {
      append(text, entry.getKey(), entry.getValue());
    }
    return text.toString();
  }

  private static void append(StringBuilder text, String key, String value) {
    text.append('.').append(key);
    if (!value.isEmpty()) {
      text.append('_').append(value);
    }
  }
}
