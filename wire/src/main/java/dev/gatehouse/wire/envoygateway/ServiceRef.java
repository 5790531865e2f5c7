package dev.gatehouse.wire.envoygateway;

import dev.gatehouse.policy.resource.EnvoyExtensionPolicy;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Backend;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.ExtProc;
import dev.gatehouse.wire.Tree;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway calls to reach ext-proc: a Kubernetes Service, or a Backend of Envoy Gateway's, which has addresses of its own (outside the
 * cluster, or where there is none).
 *
 * @param kind {@code Service} or {@code Backend}
 * @param port of the Service; null for a Backend
 */
public record ServiceRef(
    String kind, String namespace, String name, @Nullable Integer port) {
  private static final String LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
  private static final Pattern SERVICE =
      Pattern.compile("(%1$s)/(%1$s):([0-9]{1,5})".formatted(LABEL));
  private static final Pattern BACKEND =
      Pattern.compile("Backend/(%1$s)/(%1$s(?:\\.%1$s)*)".formatted(LABEL));
  private static final String GATEHOUSE = "gatehouse";

  /**
   * Reads {@code NAMESPACE/NAME:PORT}, a Service, or {@code Backend/NAMESPACE/NAME}.
   *
   * @throws IllegalArgumentException with a message for whoever wrote it
   */
  public static ServiceRef parse(String text) {
    var backend = BACKEND.matcher(text);
    if (backend.matches()) {
      return new ServiceRef("Backend", backend.group(1), backend.group(2), null);
    }
    var service = SERVICE.matcher(text);
    int port = service.matches() ? Integer.parseInt(service.group(3)) : 0;
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" (expected: NAMESPACE/NAME:PORT, such as gatehouse/ext-proc:9002, or Backend/NAMESPACE/NAME)");
    }
    return new ServiceRef("Service", service.group(1), service.group(2), port);
  }

  /** The API group of the kind; that of Services has no name. */
  String group() {
    return kind.equals("Backend") ? "gateway.envoyproxy.io" : "";
  }

  /** As an item of {@code backendRefs}, of which nothing is said that is the default. */
  Map<String, Object> backendRef() {
    boolean usual = group().isEmpty();
    return Tree.map(
        "group", usual ? null : group(),
        "kind", usual ? null : kind,
        "name", name,
        "namespace", namespace,
        "port", port);
  }

  /**
   * Whether an external processor is ours. Where it is known what ext-proc is: one that calls it. Else one of a policy that {@code wire} wrote, or
   * one whose backend or its namespace is called {@code gatehouse} or {@code gatehouse-…}.
   */
  static boolean isOurs(@Nullable ServiceRef known, EnvoyExtensionPolicy policy, ExtProc extProc) {
    return known != null
        ? extProc.backends().stream().anyMatch(known::is)
        : policy.writtenByGatehouse()
            || extProc.backends().stream()
                .anyMatch(backend -> isGatehouse(backend.ref().name())
                    || isGatehouse(backend.ref().namespace()));
  }

  private boolean is(Backend backend) {
    var ref = backend.ref();
    return ref.kind().equals(kind)
        && ref.namespace().equals(namespace)
        && ref.name().equals(name)
        && (port == null || port.equals(backend.port()));
  }

  private static boolean isGatehouse(String name) {
    return name.equals(GATEHOUSE) || name.startsWith(GATEHOUSE + "-");
  }
}
