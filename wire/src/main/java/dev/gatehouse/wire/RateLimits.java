package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.ratelimit.descriptor.Action;
import dev.gatehouse.ratelimit.descriptor.Actions;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Envoy tells the ratelimit service of a route's requests: {@link Actions} in Envoy's words. */
final class RateLimits {
  private RateLimits() {}

  /** {@code RateLimitPerRoute} of one match and hostname; null when nothing limits it. The domain is the listener's. */
  static @Nullable Map<String, Object> of(AttachedRule rule, int match, String hostname) {
    var limits = Actions.of(rule, match, hostname).stream()
        .map(actions -> map("actions", actions.stream().map(RateLimits::action).toList()))
        .toList();
    return limits.isEmpty()
        ? null
        : any(
            "extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
            "domain",
            Actions.domain(rule),
            "rate_limits",
            limits);
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
