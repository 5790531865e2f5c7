package dev.gatehouse.cli.explain;

import com.google.protobuf.Struct;
import com.google.protobuf.UInt64Value;
import com.google.protobuf.Value;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.ratelimit.descriptor.Action;
import dev.gatehouse.ratelimit.descriptor.RouteLimit;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import io.envoyproxy.envoy.type.v3.RateLimitUnit;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Envoy makes of a route's {@code rate_limits} that {@code wire} writes: an entry for each action, or no descriptor at all if one of
 * them finds nothing ({@code config.route.v3.RateLimit.Action}).
 */
final class Descriptors {
  /** Of a larger number Envoy makes no descriptor (tried). */
  private static final double MAX_HITS = 1_000_000_000;

  private final Message request;
  private final String sourceAddress;
  private final Map<String, Struct> metadata;

  /** @param metadata what the filters before put into the dynamic metadata, by namespace */
  Descriptors(Message request, String sourceAddress, Map<String, Struct> metadata) {
    this.request = request;
    this.sourceAddress = sourceAddress;
    this.metadata = metadata;
  }

  /**
   * One of the rate limits, and what came of it.
   *
   * @param descriptor null where there is none
   * @param missing what the request lacked; empty where there is a descriptor
   */
  record Made(RouteLimit limit, @Nullable RateLimitDescriptor descriptor, String missing) {
    List<Action> actions() {
      return limit.actions();
    }
  }

  Made of(RouteLimit limit) {
    var descriptor = RateLimitDescriptor.newBuilder();
    for (var action : limit.actions()) {
      var value = value(action);
      if (value == null) {
        return new Made(limit, null, missing(action));
      }
      descriptor.addEntries(Entry.newBuilder().setKey(action.key()).setValue(value));
    }
    switch (limit.hits()) {
      case null -> {}
      case Cost.Fixed(var number) -> descriptor.setHitsAddend(UInt64Value.of(number));
      case Cost.Metadata(var key) -> {
        var hits = hits(found(key));
        if (hits < 0) {
          return new Made(limit, null, "the metadata has no number at " + text(key));
        }
        descriptor.setHitsAddend(UInt64Value.of(hits));
      }
    }
    var replaced = limit.limit() == null ? null : replacement(found(limit.limit()));
    if (replaced != null) {
      descriptor.setLimit(replaced);
    }
    return new Made(limit, descriptor.build(), "");
  }

  /** Envoy takes a text for a number too; -1 where it is none. */
  private static long hits(Value value) {
    var number = switch (value.getKindCase()) {
      case NUMBER_VALUE -> value.getNumberValue();
      case STRING_VALUE -> number(value.getStringValue());
      default -> -1;
    };
    return number >= 0 && number <= MAX_HITS ? (long) number : -1;
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** {@code RateLimit.Override.DynamicMetadata}: null where the metadata has no such struct. */
  private static RateLimitDescriptor.@Nullable RateLimitOverride replacement(Value value) {
    var fields = value.getStructValue().getFieldsMap();
    var requests = fields.get("requests_per_unit");
    var unit = fields.get("unit");
    if (requests == null
        || requests.getKindCase() != Value.KindCase.NUMBER_VALUE
        || unit == null
        || Arrays.stream(RateLimitUnit.values())
            .noneMatch(known -> known.name().equals(unit.getStringValue()))) {
      return null;
    }
    return RateLimitDescriptor.RateLimitOverride.newBuilder()
        .setRequestsPerUnit((int) (long) requests.getNumberValue())
        .setUnit(RateLimitUnit.valueOf(unit.getStringValue()))
        .build();
  }

  /** Unset where there is nothing. */
  private Value found(MetadataKey key) {
    var written = metadata.get(key.namespace());
    var value = written == null
        ? Value.getDefaultInstance()
        : Value.newBuilder().setStructValue(written).build();
    for (var name : key.path()) {
      value = value.getStructValue().getFieldsOrDefault(name, Value.getDefaultInstance());
    }
    return value;
  }

  /** A place in the metadata as people read it. */
  static String text(MetadataKey key) {
    var path = String.join(":", key.path());
    return key.namespace().equals(MetadataKey.AUTHZ_NAMESPACE)
        ? path
        : key.namespace() + ":" + path;
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
      case Action.Metadata(var _, var from, var _) -> {
        var text = found(from).getStringValue();
        yield text.isEmpty() ? Action.Metadata.NOTHING : text;
      }
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
      case Action.Metadata _ -> "nothing";
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
      case Action.Metadata(var _, var from, var value) ->
        value == null
            ? "each value of the metadata " + text(from)
            : "the metadata " + text(from) + " is " + value;
    };
  }
}
