package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.ratelimit.descriptor.Action;
import dev.gatehouse.ratelimit.descriptor.Actions;
import dev.gatehouse.ratelimit.descriptor.RouteLimit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What Envoy tells the ratelimit service of a route's requests: {@link Actions} in Envoy's words. */
final class RateLimits {
  private RateLimits() {}

  /**
   * The {@code RateLimitPerRoute}s of one match and hostname, by the filter that each is for; none when nothing limits it. {@code
   * hits_addend}, {@code limit} and {@code apply_on_stream_done} work here, and not in the route's own {@code rate_limits} (tried).
   */
  static Map<String, Map<String, Object>> of(AttachedRule rule, int match, String hostname) {
    var filters = new LinkedHashMap<String, Map<String, Object>>();
    var byDomain = Actions.of(rule, match, hostname).stream()
        .collect(Collectors.groupingBy(
            RouteLimit::domain, LinkedHashMap::new, Collectors.toUnmodifiableList()));
    byDomain.forEach((domain, limits) -> filters.put(
        LimitFilter.of(rule, domain).name(),
        any(
            "extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
            "domain",
            domain,
            "rate_limits",
            limits.stream().map(limit -> limit(limit, denial(rule))).toList())));
    return filters;
  }

  /** How a rule's policy denies. */
  static Denial denial(AttachedRule rule) {
    return rule.traffic() instanceof Attachment.Of<BackendTrafficPolicy>(var policy)
        ? policy.denial()
        : Denial.USUAL;
  }

  /** {@code config.route.v3.RateLimit}. Of the headers Envoy writes {@code x-ratelimit-*}; the service writes the others. */
  private static Map<String, Object> limit(RouteLimit limit, Denial denial) {
    var headers = limit.headers() != null
        ? switch (limit.headers()) {
          case X_RATE_LIMIT -> "DRAFT_VERSION_03";
          case IETF, NONE -> "OFF";
        }
        : denial.limitHeaders() == LimitHeaders.X_RATE_LIMIT ? null : "OFF";
    return map(
        "actions",
        limit.actions().stream().map(RateLimits::action).toList(),
        "hits_addend",
        limit.hits() == null ? null : hits(limit.hits()),
        "limit",
        limit.limit() == null
            ? null
            : map("dynamic_metadata", map("metadata_key", metadataKey(limit.limit()))),
        "apply_on_stream_done",
        limit.onStreamDone() ? true : null,
        "x_ratelimit_option",
        headers);
  }

  private static Map<String, Object> hits(Cost cost) {
    return switch (cost) {
      case Cost.Fixed(var number) -> map("number", number);
      case Cost.Metadata(var key) ->
        map(
            "format",
            "%DYNAMIC_METADATA(" + key.namespace() + ":" + String.join(":", key.path()) + ")%");
    };
  }

  private static Map<String, Object> metadataKey(MetadataKey key) {
    return map(
        "key",
        key.namespace(),
        "path",
        key.path().stream().map(name -> map("key", name)).toList());
  }

  private static Map<String, Object> action(Action action) {
    return switch (action) {
      case Action.GenericKey(var key, var value) ->
        map("generic_key", map("descriptor_key", key, "descriptor_value", value));
      case Action.RequestHeader(var key, var header) ->
        map("request_headers", map("header_name", header, "descriptor_key", key));
      case Action.HeaderValueMatch(var key, var value, var header, var match, var expect) ->
        map("header_value_match", match(key, value, "headers", header, match, expect));
      case Action.QueryParameterValueMatch(
          var key,
          var value,
          var parameter,
          var match,
          var expect) ->
        map(
            "query_parameter_value_match",
            match(key, value, "query_parameters", parameter, match, expect));
      case Action.QueryParameter(var key, var parameter) ->
        map("query_parameters", map("query_parameter_name", parameter, "descriptor_key", key));
      case Action.RemoteAddressMatch(var key, var value, var cidr, var inverted) ->
        map(
            "remote_address_match",
            map(
                "descriptor_key",
                key,
                "descriptor_value",
                value,
                "address_matcher",
                map("ranges", List.of(range(cidr)), "invert_match", inverted ? true : null)));
      case Action.RemoteAddress() -> map("remote_address", map());
      case Action.Metadata(var key, var from, var value) ->
        map(
            "metadata",
            map(
                "descriptor_key",
                key,
                "metadata_key",
                metadataKey(from),
                "default_value",
                Action.Metadata.NOTHING,
                "source",
                "DYNAMIC"));
    };
  }

  private static Map<String, Object> match(
      String key, String value, String kind, String name, StringMatch match, boolean expect) {
    return map(
        "descriptor_key",
        key,
        "descriptor_value",
        value,
        "expect_match",
        expect,
        kind,
        List.of(map("name", name, "string_match", Matches.string(match))));
  }

  private static Map<String, Object> range(String cidr) {
    var slash = cidr.lastIndexOf('/');
    return map(
        "address_prefix",
        cidr.substring(0, slash),
        "prefix_len",
        Integer.parseInt(cidr.substring(slash + 1)));
  }
}
