package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.Needs.Mode;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.OrderedMatches;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a route says to the filters: whether to ask the services, and which listener and rule it is. */
final class Callouts {
  private Callouts() {}

  /** The {@code typed_per_filter_config} of a route. */
  static Map<String, Object> of(OrderedMatches.Entry entry, String hostname, Needs needs) {
    var rule = entry.rule();
    var callouts = new LinkedHashMap<String, Object>();
    var cors = Cors.of(rule);
    if (cors != null) {
      callouts.put(HttpFilters.CORS, cors);
    }
    callouts.put(
        HttpFilters.EXT_AUTHZ, rule.guarded() ? authorization(rule) : HttpFilters.disabled());
    if (needs.any()) {
      callouts.put(HttpFilters.EXT_PROC, processing(rule, needs));
    }
    callouts.putAll(RateLimits.of(rule, entry.match(), hostname));
    return callouts;
  }

  private static Map<String, Object> authorization(AttachedRule rule) {
    return any(
        "extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        "check_settings",
        map(
            "context_extensions",
            map(
                Bindings.LISTENER, rule.listener().toString(),
                Bindings.ROUTE, rule.route().toString())));
  }

  private static Map<String, Object> processing(AttachedRule rule, Needs needs) {
    return any(
        "extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "overrides",
        map(
            "processing_mode",
            map(
                "request_header_mode", headers(needs.request()),
                "response_header_mode", headers(needs.response()),
                "request_body_mode", needs.mode(Direction.REQUEST).name(),
                "response_body_mode", needs.mode(Direction.RESPONSE).name(),
                "request_trailer_mode", trailers(needs, Direction.REQUEST),
                "response_trailer_mode", trailers(needs, Direction.RESPONSE)),
            "metadata_options",
            metadata(needs),
            "grpc_initial_metadata",
            List.of(
                map("key", Bindings.LISTENER_METADATA, "value", rule.listener().toString()),
                map("key", Bindings.ROUTE_METADATA, "value", rule.route().toString()))));
  }

  private static String headers(Needs.Way way) {
    return way.sendsHeaders() ? "SEND" : "SKIP";
  }

  /**
   * Envoy refuses FULL_DUPLEX_STREAMED without them. Under BUFFERED a body that is none, with trailers behind it, is sent in no message:
   * only the trailers tell a step that waits for the body.
   */
  private static String trailers(Needs needs, Direction direction) {
    return needs.mode(direction) == Mode.NONE ? "SKIP" : "SEND";
  }

  /** Null where the filter's own namespaces do. Those of a route replace them (tried). */
  private static @Nullable Map<String, Object> metadata(Needs needs) {
    return HttpFilters.FORWARDED.containsAll(needs.metadata().keySet())
        ? null
        : HttpFilters.metadata(
            Stream.concat(HttpFilters.FORWARDED.stream(), needs.metadata().keySet().stream())
                .distinct()
                .sorted()
                .toList());
  }
}
