package dev.gatehouse.wire.envoygateway;

import dev.gatehouse.policy.resource.EnvoyExtensionPolicy;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Backend;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.ExtProc;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The Kubernetes Service by which a gateway reaches ext-proc. */
public record ServiceRef(String namespace, String name, int port) {
  private static final Pattern NAME = Pattern.compile(
      "([a-z0-9]([-a-z0-9]*[a-z0-9])?)/([a-z0-9]([-a-z0-9]*[a-z0-9])?):([0-9]{1,5})");
  private static final String GATEHOUSE = "gatehouse";

  /**
   * Reads {@code NAMESPACE/NAME:PORT}.
   *
   * @throws IllegalArgumentException with a message for whoever wrote it
   */
  public static ServiceRef parse(String text) {
    var matcher = NAME.matcher(text);
    int port = matcher.matches() ? Integer.parseInt(matcher.group(5)) : 0;
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException(
          "\"" + text + "\" (expected: NAMESPACE/NAME:PORT, such as gatehouse/ext-proc:9002)");
    }
    return new ServiceRef(matcher.group(1), matcher.group(3), port);
  }

  /**
   * Whether an external processor is ours. Where the Service is known: one that calls it. Else one of a policy that {@code wire} wrote, or
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
    return ref.kind().equals("Service")
        && ref.namespace().equals(namespace)
        && ref.name().equals(name)
        && backend.port() != null
        && backend.port() == port;
  }

  private static boolean isGatehouse(String name) {
    return name.equals(GATEHOUSE) || name.startsWith(GATEHOUSE + "-");
  }

  @Override
  public String toString() {
    return namespace + "/" + name + ":" + port;
  }
}
