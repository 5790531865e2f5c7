package dev.gatehouse.ratelimit.descriptor;

import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.RateLimit;
import java.time.Duration;

/**
 * The unit of a limit. Windows are counted from the Unix epoch, as envoyproxy/ratelimit does, so a WEEK begins on a Thursday, a MONTH is
 * 30 days and a YEAR 365.
 */
public enum Unit {
  SECOND(Duration.ofSeconds(1), 's', RateLimit.Unit.SECOND),
  MINUTE(Duration.ofMinutes(1), 'm', RateLimit.Unit.MINUTE),
  HOUR(Duration.ofHours(1), 'h', RateLimit.Unit.HOUR),
  DAY(Duration.ofDays(1), 'd', RateLimit.Unit.DAY),
  WEEK(Duration.ofDays(7), 'w', RateLimit.Unit.WEEK),
  MONTH(Duration.ofDays(30), 'M', RateLimit.Unit.MONTH),
  YEAR(Duration.ofDays(365), 'y', RateLimit.Unit.YEAR);

  private final long millis;
  private final char letter;
  private final RateLimit.Unit proto;

  Unit(Duration length, char letter, RateLimit.Unit proto) {
    this.millis = length.toMillis();
    this.letter = letter;
    this.proto = proto;
  }

  public long millis() {
    return millis;
  }

  char letter() {
    return letter;
  }

  RateLimit.Unit proto() {
    return proto;
  }
}
