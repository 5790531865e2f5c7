package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.Problems;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;

/** Names a route's rules: by their own name, else by a hash of their matches, which stays the same when rules move. */
final class RuleNames {
  private static final int HASH_BYTES = 4;

  private RuleNames() {}

  /** The keys of a route's rules, in their order, no two alike. */
  static List<RouteKey> of(HttpRoute route, Problems problems) {
    var meta = route.meta();
    var taken = new HashSet<String>();
    var keys = new ArrayList<RouteKey>();
    for (int i = 0; i < route.rules().size(); i++) {
      var rule = route.rules().get(i);
      var wanted = rule.name() != null ? rule.name() : hash(rule.matches());
      var name = wanted;
      for (int n = 2; !taken.add(name); n++) {
        name = wanted + "-" + n;
      }
      if (!name.equals(wanted)) {
        problems.warning(
            rule.origin(),
            "spec.rules[" + i + "]",
            rule.name() != null
                ? "another rule of %s is named \"%s\" too: policies that target the name hold for both"
                    .formatted(meta.title(), wanted)
                : "another rule of %s has the same matches, so no request comes here: remove one, or change its matches"
                    .formatted(meta.title()));
      }
      keys.add(new RouteKey(meta.kind(), meta.namespace(), meta.name(), name));
    }
    return keys;
  }

  private static String hash(List<Match> matches) {
    var text = new StringBuilder();
    for (var match : matches) {
      part(text, match.path().type().name());
      part(text, match.path().value());
      part(text, match.method() == null ? "" : match.method());
      named(text, 'h', match.headers());
      named(text, 'q', match.queryParams());
    }
    return HexFormat.of()
        .formatHex(sha256(text.toString().getBytes(StandardCharsets.UTF_8)), 0, HASH_BYTES);
  }

  private static void named(StringBuilder text, char what, List<NamedMatch> matches) {
    text.append(what).append(matches.size()).append(';');
    for (var match : matches) {
      part(text, match.name());
      part(text, match.match().type().name());
      part(text, match.match().value());
    }
  }

  /** With its length, so that no two lists of parts read alike. */
  private static void part(StringBuilder text, String part) {
    text.append(part.length()).append(':').append(part).append(';');
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
