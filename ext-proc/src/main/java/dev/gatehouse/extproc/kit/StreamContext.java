package dev.gatehouse.extproc.kit;

import com.google.protobuf.Struct;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a stream when it begins: what Envoy's configuration says of it in the call's metadata, and what its first message
 * tells. It does not change, may be read on any thread, and reads nothing before it is asked. What a later message tells stands in
 * that message ({@link HeadersMessage}).
 */
public final class StreamContext {
  private static final RouteMetadata GATEWAY = new RouteMetadata();

  private final Metadata call;
  private final Binding binding;
  private final ProcessingRequest message;
  private final HeadersMessage first;
  private RouteMetadata.@Nullable Reading told;

  /** @param call the call's metadata */
  public StreamContext(Metadata call, ProcessingRequest first) {
    this.call = call;
    this.binding = Binding.of(call);
    this.message = first;
    this.first = new HeadersMessage(first);
  }

  /**
   * The first message: the request's headers as a rule, the response's where Envoy answered by itself, none where the mode leaves
   * them out.
   */
  public HeadersMessage first() {
    return first;
  }

  /** The listener, written {@code namespace/gateway/name}, where {@code gatehouse wire} has made Envoy's configuration; else null. */
  public @Nullable String listener() {
    return binding.listener();
  }

  /** The route as {@code gatehouse wire} has written it, {@code kind/namespace/name/rule}; null where it did not. */
  public @Nullable String boundRoute() {
    return binding.route();
  }

  /**
   * The route's rule, as {@code gatehouse wire} or Envoy Gateway tells it (the latter where {@code xds.route_metadata} is among the
   * attributes, and then without a rule's name it is empty); null where neither does.
   */
  public @Nullable RouteKey route() {
    var bound = binding.routeKey();
    return bound != null ? bound : told().routeKey();
  }

  /** Why the route that the gateway tells cannot be read; null where it can, or none is told. */
  public @Nullable String routeProblem() {
    return told().problem();
  }

  /** {@code x-request-id}, from the call's metadata or the request's headers; empty where neither has it. */
  public String requestId() {
    if (!binding.requestId().isEmpty()) {
      return binding.requestId();
    }
    var header = first.direction() == Direction.REQUEST ? first.first("x-request-id") : null;
    return header == null ? "" : header;
  }

  /**
   * What the filter's or the route's {@code grpc_initial_metadata} says under this name; null if nothing. It is Envoy's configuration,
   * never a client's to write, so it is the place for what differs from route to route.
   */
  public @Nullable String setting(String name) {
    return call.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
  }

  /** An attribute of the first message that is a text, such as {@code source.address}; null where it is not among them. */
  public @Nullable String attribute(String name) {
    return first.attribute(name);
  }

  /** The dynamic metadata that filters before this one have written; null if none, or the namespace is not forwarded. */
  public @Nullable Struct metadata(String namespace) {
    return first.metadata(namespace);
  }

  /** Who is calling, as ext-authz says; null where it said nothing or its namespace is not forwarded. */
  public @Nullable Auth auth() {
    return first.auth();
  }

  /** How this direction's body is sent, so that a processor may choose what it wishes for. */
  public BodyMode bodies(Direction direction) {
    return BodyMode.of(message, direction);
  }

  /** Observability mode: Envoy waits for no answer, so none is given. */
  public boolean observed() {
    return message.getObservabilityMode();
  }

  private RouteMetadata.Reading told() {
    var reading = told;
    if (reading == null) {
      var text = first.attribute(RouteMetadata.ATTRIBUTE);
      reading = text == null ? RouteMetadata.Reading.NOTHING : GATEWAY.read(text);
      told = reading;
    }
    return reading;
  }
}
