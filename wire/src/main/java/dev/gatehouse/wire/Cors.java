package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.SecurityPolicy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** CORS by Envoy's own filter, which stands before ext_authz: a preflight carries no credentials (Fetch, "CORS protocol"). */
final class Cors {
  private Cors() {}

  /** {@code CorsPolicy} of a rule; null when its SecurityPolicy has none. */
  static @Nullable Map<String, Object> of(AttachedRule rule) {
    return rule.security() instanceof Attachment.Of<SecurityPolicy>(var policy)
            && policy.cors() != null
        ? of(policy.cors())
        : null;
  }

  private static Map<String, Object> of(SecurityPolicy.Cors cors) {
    return any(
        "extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match",
        cors.allowOrigins().stream().map(Cors::origin).toList(),
        "allow_methods",
        joined(cors.allowMethods()),
        "allow_headers",
        joined(cors.allowHeaders()),
        "expose_headers",
        joined(cors.exposeHeaders()),
        "max_age",
        cors.maxAge() == null ? null : Long.toString(cors.maxAge().toSeconds()),
        "allow_credentials",
        cors.allowCredentials() ? true : null,
        // A preflight that we do not know is no business of ext_authz or the upstream either.
        "forward_not_matching_preflights",
        false);
  }

  /** {@code *} stands for any characters of a host, or for any origin at all. */
  private static Map<String, Object> origin(String origin) {
    if (!origin.contains("*")) {
      return Matches.exact(origin);
    }
    return Matches.regex(
        origin.equals("*")
            ? ".*"
            : origin.replaceAll("[\\\\.+?()|\\[\\]{}^$]", "\\\\$0").replace("*", "[^/?#@]+"));
  }

  private static @Nullable String joined(List<String> values) {
    return values.isEmpty() ? null : String.join(", ", values);
  }
}
