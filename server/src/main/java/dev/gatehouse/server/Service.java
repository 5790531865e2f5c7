package dev.gatehouse.server;

import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One of the three services, as the server runs it. */
public interface Service extends AutoCloseable {
  /** {@code ext-authz}, {@code ratelimit} or {@code ext-proc}; its name in health, metrics and logs. */
  String name();

  ServerServiceDefinition definition();

  /**
   * Calls that the server makes to itself over a real connection before it reports ready, so that the first request of a
   * caller finds warm code. They must be such that no policy can hold for them and nothing that a caller sees changes.
   */
  List<WarmUpCall> warmUpCalls();

  /** Warms what calls do not reach: the store's connection, a signature check. Runs before the calls, on an ordinary thread. */
  default void warmUp() {}

  /** Called once, when the server lets in callers: every call before was one of its own. */
  default void ready() {}

  /**
   * The serialised answer to a call that the server cannot take now: it is not ready, or has too many. Null answers with a gRPC
   * error. ext-authz's is a denial, because Envoy's {@code failure_mode_allow} would turn an error into a pass.
   */
  default byte @Nullable [] refusal() {
    return null;
  }

  /** What the service has to show of itself, by path, on the admin interface. */
  default Map<String, HttpPage> pages() {
    return Map.of();
  }

  /** Metrics in Prometheus's text format that the registry cannot have; put behind its own. */
  default String metrics() {
    return "";
  }

  /**
   * Why callers should go elsewhere although the service runs; null if they need not. Asked once a second, and by each probe: it must
   * not wait.
   */
  default @Nullable String unhealthy() {
    return null;
  }

  @Override
  void close();

  /** @param requests serialised messages of one call, in order */
  record WarmUpCall(String fullMethodName, List<byte[]> requests) {}
}
