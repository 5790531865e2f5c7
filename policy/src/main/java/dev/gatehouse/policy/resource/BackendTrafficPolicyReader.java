package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.ClientSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.HeaderSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MethodSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.PathSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.QuerySelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.SourceCidr;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Unit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a BackendTrafficPolicy's {@code rateLimit.global}, with the validations of Envoy Gateway's API. */
final class BackendTrafficPolicyReader {
  private static final Map<String, Unit> UNITS = Map.of(
      "Second",
      Unit.SECOND,
      "Minute",
      Unit.MINUTE,
      "Hour",
      Unit.HOUR,
      "Day",
      Unit.DAY,
      "Week",
      Unit.WEEK,
      "Month",
      Unit.MONTH,
      "Year",
      Unit.YEAR);
  private static final Map<String, StringMatch.Type> VALUE_TYPES = Map.of(
      "Exact",
      StringMatch.Type.EXACT,
      "RegularExpression",
      StringMatch.Type.REGULAR_EXPRESSION,
      "Distinct",
      StringMatch.Type.DISTINCT);
  private static final long MAX_REQUESTS = 4_294_967_295L;

  private BackendTrafficPolicyReader() {}

  static BackendTrafficPolicy read(Meta meta, Targets targets, Fields spec) {
    spec.unsupported("mergeType");
    spec.notEnforced(
        "loadBalancer",
        "retry",
        "proxyProtocol",
        "tcpKeepalive",
        "healthCheck",
        "circuitBreaker",
        "timeout",
        "connection",
        "dns",
        "http2",
        "faultInjection",
        "bandwidthLimit",
        "admissionControl",
        "useClientProtocol",
        "compression",
        "compressor",
        "responseOverride",
        "httpUpgrade",
        "requestBuffer",
        "telemetry",
        "routingType");
    List<Rule> rules =
        spec.optional("rateLimit", v -> v.object(BackendTrafficPolicyReader::rateLimit), List.of());
    return new BackendTrafficPolicy(meta, targets, rules);
  }

  private static List<Rule> rateLimit(Fields fields) {
    var type =
        fields.optional("type", v -> v.oneOf(Map.of("Global", "Global", "Local", "Local")), "");
    fields.notEnforced("local");
    if (type.equals("Global") && !fields.has("global")) {
      fields.error("\"global\" is missing: type Global needs it");
    }
    return fields.optional("global", v -> v.object(BackendTrafficPolicyReader::global), List.of());
  }

  private static List<Rule> global(Fields fields) {
    return fields.required(
        "rules", v -> v.list(256, item -> item.object(BackendTrafficPolicyReader::rule)));
  }

  private static Rule rule(Fields fields) {
    var selectors = fields.list(
        "clientSelectors", 8, item -> item.object(BackendTrafficPolicyReader::selector));
    var limit = fields.required("limit", v -> v.object(BackendTrafficPolicyReader::limit));
    fields.unsupported("cost");
    fields.given(
        "shared",
        shared -> shared.refuseTrue("not supported yet: each route counts by itself; remove it"));
    fields.notEnforced("xRateLimitHeaders");
    return new Rule(
        selectors, limit.requests(), limit.unit(), fields.flag("shadowMode"), fields.origin());
  }

  private record Limit(long requests, Unit unit) {}

  private static Limit limit(Fields fields) {
    fields.unsupported("fromMetadata");
    return new Limit(
        fields.required("requests", v -> v.integer(0L, MAX_REQUESTS)),
        fields.required("unit", v -> v.oneOf(UNITS)));
  }

  private static ClientSelector selector(Fields fields) {
    if (fields.count("headers", "methods", "path", "sourceCIDR", "queryParams") == 0) {
      fields.error(
          "selects nothing (expected: at least one of headers, methods, path, sourceCIDR and queryParams)");
    }
    return new ClientSelector(
        fields.list("headers", 128, item -> item.object(BackendTrafficPolicyReader::header)),
        fields.list("methods", 16, item -> item.object(BackendTrafficPolicyReader::method)),
        fields.<@Nullable PathSelector>optional(
            "path", v -> v.object(BackendTrafficPolicyReader::path)),
        fields.<@Nullable SourceCidr>optional(
            "sourceCIDR", v -> v.object(BackendTrafficPolicyReader::source)),
        fields.list("queryParams", 16, item -> item.object(BackendTrafficPolicyReader::query)));
  }

  private static HeaderSelector header(Fields fields) {
    return new HeaderSelector(
        fields.required("name", Formats::header), match(fields), fields.flag("invert"));
  }

  private static QuerySelector query(Fields fields) {
    return new QuerySelector(
        fields.required("name", v -> v.text(256)), match(fields), fields.flag("invert"));
  }

  /** {@code Distinct} means any value and takes none; the others need one. */
  private static StringMatch match(Fields fields) {
    var type = fields.optional("type", v -> v.oneOf(VALUE_TYPES), StringMatch.Type.EXACT);
    if (type != StringMatch.Type.DISTINCT) {
      return new StringMatch(
          type,
          fields.required(
              "value",
              v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : v.text(1024)));
    }
    fields.given(
        "value",
        value ->
            value.error("type Distinct counts every value by itself and takes none; remove it"));
    fields.given("invert", invert -> invert.refuseTrue("type Distinct cannot be inverted"));
    return new StringMatch(type, "");
  }

  private static MethodSelector method(Fields fields) {
    return new MethodSelector(fields.required("value", Formats::method), fields.flag("invert"));
  }

  private static PathSelector path(Fields fields) {
    var type = fields.optional(
        "type", v -> v.oneOf(HttpRouteReader.PATH_TYPES), StringMatch.Type.PATH_PREFIX);
    var value = fields.optional(
        "value",
        v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : Formats.path(v),
        "/");
    return new PathSelector(new StringMatch(type, value), fields.flag("invert"));
  }

  private static SourceCidr source(Fields fields) {
    boolean distinct =
        fields.optional("type", v -> v.oneOf(Map.of("Exact", false, "Distinct", true)), false);
    boolean invert = fields.flag("invert");
    if (distinct && invert) {
      fields.error("type Distinct cannot be inverted");
    }
    return new SourceCidr(fields.required("value", Formats::cidr), distinct, invert);
  }
}
