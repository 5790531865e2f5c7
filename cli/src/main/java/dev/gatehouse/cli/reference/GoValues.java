package dev.gatehouse.cli.reference;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Values as Go's standard library and envconfig read them. */
public final class GoValues {
  private static final Pattern PART =
      Pattern.compile("(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)");

  private GoValues() {}

  /** {@code strconv.ParseBool}. */
  static boolean flag(String value) {
    return switch (value) {
      case "1", "t", "T", "TRUE", "true", "True" -> true;
      case "0", "f", "F", "FALSE", "false", "False" -> false;
      default -> throw new IllegalArgumentException(value);
    };
  }

  /**
   * {@code time.ParseDuration}: {@code 10ms}, {@code 1m30s}, {@code 1.5h}, {@code -1s}, and {@code 0} without a unit.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Duration duration(String value) {
    if (value.equals("0")) {
      return Duration.ZERO;
    }
    boolean negative = value.startsWith("-");
    var parts = PART.matcher(negative || value.startsWith("+") ? value.substring(1) : value);
    var nanos = BigDecimal.ZERO;
    int end = 0;
    while (parts.lookingAt()) {
      nanos = nanos.add(
          new BigDecimal(parts.group(1).endsWith(".") ? parts.group(1) + "0" : parts.group(1))
              .multiply(BigDecimal.valueOf(nanosOf(parts.group(2)))));
      end = parts.end();
      parts.region(end, parts.regionEnd());
    }
    if (end == 0
        || end != parts.regionEnd()
        || nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException(value);
    }
    var duration = Duration.ofNanos(nanos.longValue());
    return negative ? duration.negated() : duration;
  }

  private static long nanosOf(String unit) {
    return switch (unit) {
      case "ns" -> 1;
      case "us", "µs", "μs" -> 1_000;
      case "ms" -> 1_000_000;
      case "s" -> 1_000_000_000;
      case "m" -> 60_000_000_000L;
      default -> 3_600_000_000_000L;
    };
  }

  /** envconfig's map: {@code name:value,name:value}. */
  static Map<String, String> pairs(String value) {
    var pairs = new LinkedHashMap<String, String>();
    for (var pair : value.split(",", -1)) {
      if (pair.isBlank()) {
        continue;
      }
      int colon = pair.indexOf(':');
      if (colon <= 0) {
        throw new IllegalArgumentException(value);
      }
      pairs.put(pair.substring(0, colon).strip(), pair.substring(colon + 1).strip());
    }
    return pairs;
  }
}
