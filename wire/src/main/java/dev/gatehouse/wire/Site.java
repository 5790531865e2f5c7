package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.ListenerKey;
import dev.gatehouse.policy.resource.Gateway;
import java.util.Locale;

/**
 * A Gateway's listener where Envoy really listens.
 *
 * @param port the Gateway's, or the one that the settings give it
 */
record Site(Gateway gateway, Gateway.Listener listener, int port) {
  ListenerKey key() {
    return ListenerKey.of(gateway.meta(), listener.name());
  }

  boolean tls() {
    return listener.protocol().equals("HTTPS");
  }

  /** In lower case; {@code *} for any. */
  String hostname() {
    var hostname = listener.hostname();
    return hostname == null || hostname.isEmpty() ? "*" : hostname.toLowerCase(Locale.ROOT);
  }

  /** Whether every host that {@code other} stands for is one of this listener's. */
  boolean covers(String other) {
    return hostname().equals("*")
        || hostname().equals(other)
        || (hostname().startsWith("*.") && other.endsWith(hostname().substring(1)));
  }
}
