package dev.gatehouse.authz.jwt;

import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * For how long an answer says that it may be kept (RFC 9111 §4.2), to a cache of our own ({@code s-maxage} is for shared ones). What
 * cannot be understood counts as out of date, as §4.2.1 asks.
 */
final class Freshness {
  private Freshness() {}

  /** From when it came; zero if it is to be asked for again each time; null if the answer does not say. */
  static @Nullable Duration of(HttpHeaders headers) {
    Long maxAge = null;
    for (var line : headers.allValues("cache-control")) {
      for (var each : line.toLowerCase(Locale.ROOT).split(",", -1)) {
        var directive = each.strip();
        // no-cache may name headers that it is about (§5.2.2.4); whoever says so gets the stricter
        // reading.
        if (directive.equals("no-store") || directive.startsWith("no-cache")) {
          return Duration.ZERO;
        }
        if (directive.startsWith("max-age=")) {
          long seconds = seconds(directive.substring("max-age=".length()));
          maxAge = maxAge == null ? seconds : Math.min(maxAge, seconds);
        }
      }
    }
    if (maxAge != null) {
      long age = headers.firstValue("age").map(Freshness::seconds).orElse(0L);
      return Duration.ofSeconds(Math.max(0, maxAge - age));
    }
    return headers
        .firstValue("expires")
        .map(expires -> expires(expires, headers))
        .orElse(null);
  }

  private static Duration expires(String expires, HttpHeaders headers) {
    try {
      var from = date(headers.firstValue("date").orElse(""));
      var lifetime = Duration.between(from, date(expires));
      return lifetime.isNegative() ? Duration.ZERO : lifetime;
    } catch (DateTimeException e) {
      return Duration.ZERO; // "0" is what many write
    }
  }

  private static ZonedDateTime date(String text) {
    return ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
  }

  /** A number of seconds, at most a year; zero for what is none. */
  private static long seconds(String text) {
    var digits = text.strip().replaceAll("^\"|\"$", "");
    if (!digits.matches("[0-9]+")) {
      return 0;
    }
    return digits.length() > 8 ? 31_536_000 : Math.min(Long.parseLong(digits), 31_536_000);
  }
}
