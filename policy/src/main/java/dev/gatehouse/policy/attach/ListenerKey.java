package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Meta;

/** A listener of a Gateway, written {@code namespace/gateway/listener}: {@code wire} puts it on the virtual host, services find plans by it. */
public record ListenerKey(String namespace, String gateway, String listener) {
  public static ListenerKey of(Meta gateway, String listener) {
    return new ListenerKey(gateway.namespace(), gateway.name(), listener);
  }

  @Override
  public String toString() {
    return namespace + "/" + gateway + "/" + listener;
  }
}
