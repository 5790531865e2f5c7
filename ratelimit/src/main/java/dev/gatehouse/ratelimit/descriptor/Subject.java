package dev.gatehouse.ratelimit.descriptor;

import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * The values of a descriptor that count by themselves, as one text that no other values make: the first as it is, each later one after the
 * length of what stands before it. The number of values is the limit's, so texts of different numbers never meet.
 */
final class Subject {
  /** Longer values, which a client is free to send, are replaced by their SHA-256. */
  private static final int MAX_LENGTH = 128;

  private Subject() {}

  /** @param subject of the values before; null for the first */
  static String with(@Nullable String subject, String value) {
    var bounded = bounded(value);
    return subject == null ? bounded : subject.length() + ":" + subject + bounded;
  }

  /** A value that looks like a hash is hashed too, so that none can be taken for another's. */
  private static String bounded(String value) {
    if (value.length() <= MAX_LENGTH && !value.startsWith("#")) {
      return value;
    }
    return "#" + Base64.getUrlEncoder().withoutPadding().encodeToString(Limit.sha256(value));
  }
}
