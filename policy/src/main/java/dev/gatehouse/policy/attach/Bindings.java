package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;

/** Every name that {@code wire} writes into Envoy and a service reads back. */
public final class Bindings {
  /** ext_authz {@code context_extensions} key of a virtual host; the value is a {@link ListenerKey}. */
  public static final String LISTENER = "gatehouse.dev/listener";

  /** ext_authz {@code context_extensions} key of a route; the value is a {@link RouteKey}. */
  public static final String ROUTE = "gatehouse.dev/route";

  /** The same as gRPC metadata of ext_proc's stream ({@code grpc_initial_metadata}). */
  public static final String LISTENER_METADATA = "x-gatehouse-listener";

  public static final String ROUTE_METADATA = "x-gatehouse-route";

  /** gRPC metadata that tells a service which request it is; Envoy fills it from the request's header of that name. */
  public static final String REQUEST_ID = "x-request-id";

  /** The dynamic metadata namespace of ext_authz; {@code auth} and {@code decision} are in it. */
  public static final String AUTHZ_NAMESPACE = MetadataKey.AUTHZ_NAMESPACE;

  /** Prefix of the string copies in that namespace that rate limit descriptors can read. */
  public static final String DESCRIPTOR_PREFIX = MetadataKey.DESCRIPTOR_PREFIX;

  /** The dynamic metadata namespace that ext-proc writes: what a TransformPolicy's {@code metadata} says. */
  public static final String PROCESSOR_NAMESPACE = "gatehouse.ext_proc";

  /** Route metadata of Envoy Gateway: {@code resources[] {kind, name, namespace, sectionName}}. */
  public static final String GATEWAY_METADATA = "envoy-gateway";

  private Bindings() {}
}
