package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.server.AdminPage;
import java.util.Comparator;

/** {@code /rlconfig}: the limits in force, a line each in envoyproxy/ratelimit's format, by name. What it has no word for stands behind. */
final class ConfigDump {
  private ConfigDump() {}

  static AdminPage page(LimitTree tree) {
    var text = new StringBuilder();
    tree.limits().stream()
        .filter(limit -> !limit.metric().startsWith(LimitTreeCompiler.WARM_UP_DOMAIN + "."))
        .sorted(Comparator.comparing(Limit::metric))
        .forEach(limit -> append(limit, text));
    return AdminPage.plain(200, text.toString());
  }

  private static void append(Limit limit, StringBuilder text) {
    var terms = limit.terms();
    text.append(limit.metric())
        .append(": unit=")
        .append(terms.unlimited() ? "UNKNOWN" : limit.window().unit().name())
        .append(" requests_per_unit=")
        .append(terms.unlimited() ? 0 : limit.requests())
        .append(", shadow_mode: ")
        .append(limit.shadow())
        .append(", quota_mode: ")
        .append(terms.quota());
    if (terms.unlimited()) {
      text.append(", unlimited: true");
    }
    if (limit.window().every() != 1) {
      text.append(", unit_multiplier: ").append(limit.window().every());
    }
    switch (limit.algorithm()) {
      case FIXED_WINDOW -> {}
      case SLIDING_WINDOW -> text.append(", algorithm: sliding_window");
      case TOKEN_BUCKET -> text.append(", algorithm: token_bucket, burst: ").append(terms.burst());
    }
    text.append('\n');
  }
}
