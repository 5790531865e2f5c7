package dev.gatehouse.authz.jwt;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long what a provider gives is held to be fresh: as long as it says, at least {@link #LEAST}, so that {@code max-age=0} is no
 * hammer, and at most what the policy says, which is also the default: how late a withdrawn key may be noticed is for the
 * policy's author to say, not for whoever answers.
 */
record Lifetime(Duration cacheDuration) {
  static final Duration LEAST = Duration.ofSeconds(30);

  Duration of(@Nullable Duration said) {
    if (said == null || said.compareTo(cacheDuration) > 0) {
      return cacheDuration;
    }
    var least = LEAST.compareTo(cacheDuration) < 0 ? LEAST : cacheDuration;
    return said.compareTo(least) < 0 ? least : said;
  }
}
