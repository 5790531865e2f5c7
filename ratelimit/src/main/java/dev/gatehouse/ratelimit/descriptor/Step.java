package dev.gatehouse.ratelimit.descriptor;

import org.jspecify.annotations.Nullable;

/**
 * One level of the descriptor tree.
 *
 * @param value null matches every value of the key, and each counts by itself
 * @param wildcard each {@code *} of the value stands for any text, and each value that matches counts by itself; the value as it stands is
 *     matched first
 * @param shared all values that match the wildcard share one counter ({@code share_threshold})
 * @param valueToMetric the statistics tell the request's value of this level ({@code value_to_metric})
 */
public record Step(
    String key, @Nullable String value, boolean wildcard, boolean shared, boolean valueToMetric) {
  public Step {
    if (wildcard && (value == null || value.indexOf('*') < 0)) {
      throw new IllegalArgumentException("a wildcard without *: " + key);
    }
  }

  public Step(String key, @Nullable String value) {
    this(key, value, false, false, false);
  }
}
