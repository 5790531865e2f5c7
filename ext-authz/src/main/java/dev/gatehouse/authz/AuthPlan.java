package dev.gatehouse.authz;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.Lookup;
import dev.gatehouse.policy.attach.RoutePlans;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Everything that ext-authz enforces: one generation of the policies. */
final class AuthPlan {
  private static final RoutePlan UNBOUND = new RoutePlan.Nowhere(
      "the request carries no binding (gatehouse wire writes them, Envoy Gateway tells its route by extAuth.includeRouteMetadata; --match-routes and --unmatched=allow do without)");
  private static final RoutePlan UNREADABLE =
      new RoutePlan.Nowhere("route metadata names no HTTPRoute");

  private final RoutePlans<RoutePlan> routes;
  private final @Nullable Grant unmatched;
  private final boolean matchRoutes;

  /** @param unmatched what a request without any binding is granted; null denies it */
  AuthPlan(RoutePlans<RoutePlan> routes, @Nullable Grant unmatched, boolean matchRoutes) {
    this.routes = routes;
    this.unmatched = unmatched;
    this.matchRoutes = matchRoutes;
  }

  RoutePlans<RoutePlan> routes() {
    return routes;
  }

  /** The first way that says anything decides; one that leads nowhere never falls through to the next. */
  RoutePlan routeOf(RequestView request) {
    return switch (find(request)) {
      case Lookup.Found<RoutePlan>(var plan) -> plan;
      case Lookup.Unresolved<RoutePlan>(var why) -> new RoutePlan.Nowhere(why);
      case Lookup.Unbound<RoutePlan> _ ->
        unmatched == null ? UNBOUND : new RoutePlan.Open(unmatched);
    };
  }

  private Lookup<RoutePlan> find(RequestView request) {
    Map<String, String> told = request.attributes().getContextExtensionsMap();
    var listener = told.get(Bindings.LISTENER);
    var route = told.get(Bindings.ROUTE);
    if (listener != null || route != null) {
      return routes.byBinding(listener, route);
    }
    var metadata = request
        .attributes()
        .getRouteMetadataContext()
        .getFilterMetadataMap()
        .get(Bindings.GATEWAY_METADATA);
    if (metadata != null) {
      return byMetadata(metadata);
    }
    return matchRoutes ? routes.byMatch(request) : new Lookup.Unbound<>();
  }

  /** Envoy Gateway's {@code resources: [{kind, name, namespace, sectionName}]}. */
  private Lookup<RoutePlan> byMetadata(Struct metadata) {
    var resources = metadata.getFieldsOrDefault("resources", Value.getDefaultInstance());
    for (var resource : resources.getListValue().getValuesList()) {
      var fields = resource.getStructValue().getFieldsMap();
      var kind = text(fields.get("kind"));
      if (kind.equals("HTTPRoute") || kind.equals("GRPCRoute")) {
        return routes.byRouteMetadata(
            kind,
            text(fields.get("namespace")),
            text(fields.get("name")),
            text(fields.get("sectionName")));
      }
    }
    return new Lookup.Found<>(UNREADABLE);
  }

  private static String text(@Nullable Value value) {
    return value == null ? "" : value.getStringValue();
  }
}
