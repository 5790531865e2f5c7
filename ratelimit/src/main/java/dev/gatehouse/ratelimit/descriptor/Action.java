package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.resource.StringMatch;

/**
 * One action of a route's {@code rate_limits} (Envoy's {@code config.route.v3.RateLimit.Action}): what it finds in a request becomes an
 * entry of the descriptor, or there is no descriptor. {@code wire} writes them; the names are Envoy Gateway's.
 */
public sealed interface Action {
  record GenericKey(String key, String value) implements Action {}

  /** Sends the header's value (Distinct); no descriptor without the header. */
  record RequestHeader(String key, String header) implements Action {}

  /** @param expect false inverts: the entry is there if the header does not match */
  record HeaderValueMatch(
      String key, String value, String header, StringMatch match, boolean expect)
      implements Action {}

  record QueryParameterValueMatch(
      String key, String value, String parameter, StringMatch match, boolean expect)
      implements Action {}

  /** Sends the parameter's value (Distinct). */
  record QueryParameter(String key, String parameter) implements Action {}

  /** @param inverted the address must not be in the range */
  record RemoteAddressMatch(String key, String value, String cidr, boolean inverted)
      implements Action {}

  /** Sends the client's address (Distinct). */
  record RemoteAddress() implements Action {}
}
