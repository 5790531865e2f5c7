package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a RateLimitPolicy. */
final class RateLimitPolicyReader {
  private static final LimitRuleReader RULES = new LimitRuleReader(true);
  private static final Denial USUAL =
      new Denial(429, Map.of(), null, LimitHeaders.X_RATE_LIMIT, true);
  private static final int MAX_HEADERS = 16;

  /** It travels from the service to Envoy with every denial. */
  private static final int MAX_BODY = 16 * 1024;

  private RateLimitPolicyReader() {}

  static BackendTrafficPolicy read(Meta meta, Targets targets, Fields spec) {
    spec.unsupported("mergeType");
    var rules = spec.required("rules", RULES::rules);
    boolean countsDenied =
        spec.optional("denied", v -> v.oneOf(Map.of("NotCounted", false, "Counted", true)), false);
    var denial = spec.optional("response", v -> v.object(RateLimitPolicyReader::response), USUAL);
    return new BackendTrafficPolicy(meta, targets, rules, countsDenied, denial);
  }

  private static Denial response(Fields fields) {
    return new Denial(
        fields.optional("status", v -> v.integer(400, 599), USUAL.status()),
        fields.optional("headers", RateLimitPolicyReader::headers, Map.of()),
        fields.<@Nullable String>optional("body", v -> v.anyText(MAX_BODY)),
        fields.optional("limitHeaders", RateLimitPolicyReader::limitHeaders, USUAL.limitHeaders()),
        fields.optional("retryAfter", Value::bool, USUAL.retryAfter()));
  }

  private static LimitHeaders limitHeaders(Value value) {
    return value.oneOf(Map.of(
        "XRateLimit",
        LimitHeaders.X_RATE_LIMIT,
        "IETF",
        LimitHeaders.IETF,
        "None",
        LimitHeaders.NONE));
  }

  private static Map<String, String> headers(Value value) {
    var headers = new LinkedHashMap<String, String>();
    value.map(MAX_HEADERS, v -> v).forEach((name, text) -> {
      var lower = Formats.changeableHeader(text, name);
      if (headers.put(lower, Formats.headerValue(text)) != null) {
        text.error("\"" + Shown.of(lower) + "\" stands twice (case does not count)");
      }
    });
    return Collections.unmodifiableMap(headers);
  }
}
