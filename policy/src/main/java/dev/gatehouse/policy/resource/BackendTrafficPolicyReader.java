package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import java.util.List;
import java.util.Map;

/** Reads a BackendTrafficPolicy's {@code rateLimit.global}, with the validations of Envoy Gateway's API. */
final class BackendTrafficPolicyReader {
  private static final LimitRuleReader RULES = new LimitRuleReader(false);

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
    return new BackendTrafficPolicy(meta, targets, rules, true, Denial.USUAL);
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
    return fields.required("rules", RULES::rules);
  }
}
