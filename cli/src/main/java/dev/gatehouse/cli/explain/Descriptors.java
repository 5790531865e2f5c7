package dev.gatehouse.cli.explain;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.ratelimit.descriptor.Action;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Envoy makes of the actions that {@code wire} writes: an entry each, or no descriptor at all if one of them finds nothing
 * ({@code config.route.v3.RateLimit.Action}).
 */
final class Descriptors {
  private final Message request;
  private final String sourceAddress;

  Descriptors(Message request, String sourceAddress) {
    this.request = request;
    this.sourceAddress = sourceAddress;
  }

  /**
   * One list of actions, and what came of it.
   *
   * @param descriptor null where there is none
   * @param missing which action found nothing; empty where there is a descriptor
   */
  record Made(List<Action> actions, @Nullable RateLimitDescriptor descriptor, String missing) {}

  Made of(List<Action> actions) {
    var entries = new ArrayList<Entry>();
    for (var action : actions) {
      var value = value(action);
      if (value == null) {
        return new Made(actions, null, missing(action));
      }
      entries.add(Entry.newBuilder().setKey(action.key()).setValue(value).build());
    }
    return new Made(
        actions, RateLimitDescriptor.newBuilder().addAllEntries(entries).build(), "");
  }

  private @Nullable String value(Action action) {
    return switch (action) {
      case Action.GenericKey(var _, var value) -> value;
      case Action.RequestHeader(var _, var header) -> first(request.values(header));
      case Action.HeaderValueMatch(var _, var value, var header, var match, var expect) ->
        request.values(header).stream().anyMatch(v -> matches(match, v)) == expect ? value : null;
      case Action.QueryParameterValueMatch(
          var _,
          var value,
          var parameter,
          var match,
          var expect) ->
        parameters(parameter).stream().limit(1).anyMatch(v -> matches(match, v)) == expect
            ? value
            : null;
      case Action.QueryParameter(var _, var parameter) -> first(parameters(parameter));
      case Action.RemoteAddressMatch(var _, var value, var cidr, var inverted) ->
        inRange(cidr) != inverted ? value : null;
      case Action.RemoteAddress() -> sourceAddress;
    };
  }

  /** What the request had to have, in words. */
  private static String missing(Action action) {
    return switch (action) {
      case Action.GenericKey _ -> "nothing";
      case Action.RequestHeader(var _, var header) -> "there is no header " + header;
      case Action.HeaderValueMatch(var _, var _, var header, var match, var expect) ->
        header + (expect ? " does not match " : " matches ") + match.value();
      case Action.QueryParameterValueMatch(var _, var _, var parameter, var match, var expect) ->
        "parameter " + parameter + (expect ? " does not match " : " matches ") + match.value();
      case Action.QueryParameter(var _, var parameter) -> "there is no parameter " + parameter;
      case Action.RemoteAddressMatch(var _, var _, var cidr, var inverted) ->
        "the client's address is " + (inverted ? "" : "not ") + "in " + cidr;
      case Action.RemoteAddress() -> "there is no client address";
    };
  }

  private static @Nullable String first(List<String> values) {
    return values.isEmpty() ? null : values.getFirst();
  }

  private static boolean matches(StringMatch match, String value) {
    return switch (match.type()) {
      case EXACT -> value.equals(match.value());
      case PATH_PREFIX -> value.startsWith(match.value());
      case REGULAR_EXPRESSION -> matches(match.value(), value);
      case DISTINCT -> true;
    };
  }

  private static boolean matches(String regex, String value) {
    try {
      return Pattern.matches(regex, value);
    } catch (PatternSyntaxException e) {
      return false; // whoever read the policy has said so
    }
  }

  private List<String> parameters(String name) {
    var path = request.path();
    int question = path.indexOf('?');
    var values = new ArrayList<String>();
    if (question < 0) {
      return values;
    }
    for (var pair : path.substring(question + 1).split("&")) {
      int equals = pair.indexOf('=');
      if (decoded(equals < 0 ? pair : pair.substring(0, equals)).equals(name)) {
        values.add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
      }
    }
    return values;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  private boolean inRange(String cidr) {
    int slash = cidr.indexOf('/');
    try {
      var range = InetAddress.ofLiteral(cidr.substring(0, slash)).getAddress();
      var address = InetAddress.ofLiteral(sourceAddress).getAddress();
      int bits = Integer.parseInt(cidr.substring(slash + 1));
      if (range.length != address.length) {
        return false;
      }
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >> (bit & 7);
        if ((range[bit >> 3] & mask) != (address[bit >> 3] & mask)) {
          return false;
        }
      }
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** An action as people read it. */
  static String text(Action action) {
    return switch (action) {
      case Action.GenericKey(var key, var _) -> key;
      case Action.RequestHeader(var _, var header) -> "each value of header " + header;
      case Action.HeaderValueMatch(var _, var _, var header, var match, var expect) ->
        header + (expect ? " is " : " is not ") + match.value();
      case Action.QueryParameterValueMatch(var _, var _, var parameter, var match, var expect) ->
        "parameter " + parameter + (expect ? " is " : " is not ") + match.value();
      case Action.QueryParameter(var _, var parameter) -> "each value of parameter " + parameter;
      case Action.RemoteAddressMatch(var _, var _, var cidr, var inverted) ->
        "the client is " + (inverted ? "not " : "") + "in " + cidr;
      case Action.RemoteAddress() -> "each client address";
    };
  }
}
