package dev.gatehouse.extproc.kit;

import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.RouteKey;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/** What {@code wire} tells of a stream in the call's metadata. Null where it is absent. */
record Binding(@Nullable String listener, @Nullable String route, String requestId) {
  private static final Metadata.Key<String> LISTENER = key(Bindings.LISTENER_METADATA);
  private static final Metadata.Key<String> ROUTE = key(Bindings.ROUTE_METADATA);
  private static final Metadata.Key<String> REQUEST_ID = key(Bindings.REQUEST_ID);

  static Binding of(Metadata metadata) {
    var id = metadata.get(REQUEST_ID);
    return new Binding(metadata.get(LISTENER), metadata.get(ROUTE), id == null ? "" : id);
  }

  /** {@code kind/namespace/name/rule}; null where it is not written so. */
  @Nullable
  RouteKey routeKey() {
    if (route == null) {
      return null;
    }
    var parts = route.split("/", 4);
    return parts.length < 4 ? null : new RouteKey(parts[0], parts[1], parts[2], parts[3]);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
