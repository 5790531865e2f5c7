package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.BiFunction;

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers, as lists of Structured Fields (RFC 9651): {@code RateLimit-Policy:
 * "per-user";q=100;w=60} and {@code RateLimit: "per-user";r=40;t=12}. A limit without a name is called after its place.
 */
final class IetfHeaders {
  private IetfHeaders() {}

  static String policies(List<Verdict.Status> statuses) {
    return list(
        statuses,
        (status, limit) ->
            ";q=" + quota(limit) + ";w=" + Math.max(1, limit.window().millis() / 1000));
  }

  static String state(List<Verdict.Status> statuses) {
    return list(
        statuses, (status, limit) -> ";r=" + status.remaining() + ";t=" + status.resetSeconds());
  }

  /** Of a token bucket what it gives at once. */
  private static long quota(Limit limit) {
    return limit.algorithm() == Algorithm.TOKEN_BUCKET ? limit.terms().burst() : limit.requests();
  }

  private static String list(
      List<Verdict.Status> statuses, BiFunction<Verdict.Status, Limit, String> parameters) {
    var list = new StringJoiner(", ");
    for (int i = 0; i < statuses.size(); i++) {
      var status = statuses.get(i);
      var limit = status.limit();
      if (limit != null && !limit.shadow()) {
        var name = limit.terms().name().isEmpty() ? "limit-" + i : limit.terms().name();
        list.add(string(name) + parameters.apply(status, limit));
      }
    }
    return list.toString();
  }

  /** A String of RFC 9651, section 3.3.3: what is not printable ASCII becomes an underscore. */
  private static String string(String name) {
    var text = new StringBuilder("\"");
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\');
      }
      text.append(c < ' ' || c > '~' ? '_' : c);
    }
    return text.append('"').toString();
  }
}
