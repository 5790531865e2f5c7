package dev.gatehouse.wire;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Envoy's configuration needs beside the policies.
 *
 * @param extAuthz where ext-authz listens; likewise the others
 * @param admin where Envoy's admin interface listens
 * @param bindAddress for all listeners
 * @param listenerPorts by {@code namespace/gateway/listener}: a port other than the Gateway's
 * @param backends by {@code namespace/name} of a Backend: where it really is, such as a test's upstream
 * @param accessLog whether Envoy writes a line for each request to its standard output
 * @param watchedFolder where the listener, route and cluster files lie that Envoy watches; null puts all into one static file
 */
public record WireSettings(
    Address extAuthz,
    Address ratelimit,
    Address extProc,
    Address admin,
    String bindAddress,
    Map<String, Integer> listenerPorts,
    Map<String, Address> backends,
    boolean accessLog,
    @Nullable String watchedFolder) {
  /** Without an access log. */
  public WireSettings(
      Address extAuthz,
      Address ratelimit,
      Address extProc,
      Address admin,
      String bindAddress,
      Map<String, Integer> listenerPorts,
      Map<String, Address> backends,
      @Nullable String watchedFolder) {
    this(
        extAuthz,
        ratelimit,
        extProc,
        admin,
        bindAddress,
        listenerPorts,
        backends,
        false,
        watchedFolder);
  }

  public record Address(String host, int port) {
    /** {@code host:port}. */
    public static Address parse(String text) {
      var colon = text.lastIndexOf(':');
      return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    @Override
    public String toString() {
      return host + ":" + port;
    }
  }
}
