package dev.gatehouse.extproc.stream;

import java.time.Duration;

/**
 * How long a {@link Reply.Later} may take. Envoy's {@code message_timeout} is 200 ms by default and is told to nobody, so Envoy is asked
 * for more time before it is over ({@code override_message_timeout}); it grants what {@code max_message_timeout} allows, or nothing.
 *
 * @param askAfter when Envoy is asked
 * @param deadline when the work is given up and the processor says what that means; Envoy is asked for as much
 */
public record Patience(Duration askAfter, Duration deadline) {
  /** Asks at half of Envoy's default; {@code wire} grants 5 s. */
  public static final Patience DEFAULT =
      new Patience(Duration.ofMillis(100), Duration.ofMillis(4_500));

  public Patience {
    if (askAfter.isNegative() || askAfter.compareTo(deadline) >= 0) {
      throw new IllegalArgumentException(
          "askAfter: " + askAfter + " (expected: less than the deadline, " + deadline + ")");
    }
  }
}
