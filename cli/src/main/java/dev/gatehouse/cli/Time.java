package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.GoValues;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a time such as {@code 10ms}, {@code 5s}, {@code 1m30s} or {@code 24h}, as Go writes it. */
final class Time implements ITypeConverter<Duration> {
  @Override
  public Duration convert(String text) {
    try {
      var time = GoValues.duration(text);
      if (!time.isNegative()) {
        return time;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new TypeConversionException(
        "\"" + text + "\" (expected: a number with ms, s, m or h, such as 10ms or 30m)");
  }
}
