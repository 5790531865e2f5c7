package dev.gatehouse.wire.envoygateway;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the EnvoyExtensionPolicies that are written are called: always the same for the same target, so that applying them again replaces them. */
final class PolicyName {
  /** Of Kubernetes, for names that are DNS subdomains. */
  private static final int MAX = 253;

  private static final int HASH_BYTES = 4;

  private PolicyName() {}

  /**
   * {@code gatehouse-httproute-orders}, and of a rule {@code gatehouse-httproute-orders.create-5f3a90c1}. Names of routes and rules may hold
   * dots, so that what is before the hash may be another route's or rule's too. A name that would be too long is cut and has a hash as well.
   *
   * @param rule null: for the route as a whole
   */
  static String of(String kind, String route, @Nullable String rule) {
    var name = "gatehouse-" + kind.toLowerCase(Locale.ROOT) + "-" + route;
    if (rule == null && name.length() <= MAX) {
      return name;
    }
    var full = rule == null ? name : name + "." + rule;
    // A slash is in no name, so that no two targets are hashed alike.
    var hash = hash(kind + "/" + route + (rule == null ? "" : "/" + rule));
    return cut(full, MAX - 1 - hash.length()) + "-" + hash;
  }

  /** A label of a name ends with a letter or digit, and {@code .-} is none. */
  private static String cut(String name, int length) {
    int end = Math.min(name.length(), length);
    while (name.charAt(end - 1) == '.' || name.charAt(end - 1) == '-') {
      end--;
    }
    return name.substring(0, end);
  }

  private static String hash(String text) {
    try {
      var digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java platform has SHA-256", e);
    }
  }
}
