package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.StringMatch;
import org.jspecify.annotations.Nullable;

/**
 * One action of a route's {@code rate_limits} (Envoy's {@code config.route.v3.RateLimit.Action}): what it finds in a request becomes an
 * entry of the descriptor, or there is no descriptor. {@code wire} writes them; the names are Envoy Gateway's.
 */
public sealed interface Action {
  /** The entry's key. */
  String key();

  /** The entry's value that the limit is for; null where the request says it (Distinct), and each value counts by itself. */
  @Nullable
  String value();

  record GenericKey(String key, String value) implements Action {}

  /** Sends the header's value (Distinct); no descriptor without the header. */
  record RequestHeader(String key, String header) implements Action {
    @Override
    public @Nullable String value() {
      return null;
    }
  }

  /** @param expect false inverts: the entry is there if the header does not match */
  record HeaderValueMatch(
      String key, String value, String header, StringMatch match, boolean expect)
      implements Action {}

  record QueryParameterValueMatch(
      String key, String value, String parameter, StringMatch match, boolean expect)
      implements Action {}

  /** Sends the parameter's value (Distinct). */
  record QueryParameter(String key, String parameter) implements Action {
    @Override
    public @Nullable String value() {
      return null;
    }
  }

  /** @param inverted the address must not be in the range */
  record RemoteAddressMatch(String key, String value, String cidr, boolean inverted)
      implements Action {}

  /** Sends the client's address (Distinct). */
  record RemoteAddress() implements Action {
    @Override
    public String key() {
      return "remote_address";
    }

    @Override
    public @Nullable String value() {
      return null;
    }
  }

  /**
   * Sends a text of the dynamic metadata, {@link #NOTHING} where there is none: without a {@code default_value} Envoy would make no
   * descriptor of it, nor of what is no text, and the limit would not apply (tried).
   *
   * @param value null for any
   */
  record Metadata(String key, MetadataKey from, @Nullable String value) implements Action {
    /** What stands for a text that is not there. */
    public static final String NOTHING = "-";
  }
}
