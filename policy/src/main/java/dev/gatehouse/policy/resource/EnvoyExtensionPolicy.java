package dev.gatehouse.policy.resource;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code gateway.envoyproxy.io/v1alpha1 EnvoyExtensionPolicy}: what Envoy Gateway puts into Envoy's filter chain, and so what of a request
 * ext-proc gets to see there. No service of ours enforces it; {@code lint} compares it with what the TransformPolicies need.
 *
 * @param merges {@code mergeType}: its lists replace those of the policy above it one by one, not all together
 * @param others whether it holds Wasm, Lua or dynamic modules
 */
public record EnvoyExtensionPolicy(
    Meta meta, Targets targets, boolean merges, List<ExtProc> extProc, boolean others)
    implements Policy {
  public static final String KIND = "EnvoyExtensionPolicy";

  /** Where the label of that name says {@code gatehouse}, {@code gatehouse wire} wrote the resource. */
  public static final String MANAGED_BY = "app.kubernetes.io/managed-by";

  /**
   * One external processor, with the gateway's defaults for what is not said.
   *
   * @param request null: nothing of the request is sent, not even its headers
   * @param response null: nothing of the response is sent
   */
  public record ExtProc(
      List<Backend> backends,
      Duration messageTimeout,
      boolean failOpen,
      @Nullable Integer statusOnError,
      boolean shadowMode,
      @Nullable Phase request,
      @Nullable Phase response,
      boolean allowModeOverride,
      List<String> accessibleNamespaces,
      List<String> writableNamespaces,
      Origin origin) {}

  /** One of {@code backendRefs}; a Service's port is never null. */
  public record Backend(ObjectRef ref, @Nullable Integer port) {}

  /** A direction whose headers are sent. */
  public record Phase(Body body, List<String> attributes, Origin origin) {}

  /** How a body is sent. */
  public enum Body {
    /** {@code body} is not given. */
    NONE(""),
    STREAMED("Streamed"),
    BUFFERED("Buffered"),
    BUFFERED_PARTIAL("BufferedPartial"),
    FULL_DUPLEX_STREAMED("FullDuplexStreamed");

    private final String written;

    Body(String written) {
      this.written = written;
    }

    /** As the field has it. */
    @Override
    public String toString() {
      return written;
    }
  }

  public boolean writtenByGatehouse() {
    return "gatehouse".equals(meta.labels().get(MANAGED_BY));
  }
}
