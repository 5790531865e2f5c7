package dev.gatehouse.policy.resource;

import java.util.List;

/** {@code gateway.envoyproxy.io/v1alpha1 Backend}: upstream addresses without Kubernetes Services. */
public record Backend(Meta meta, List<Endpoint> endpoints) implements Resource {
  public sealed interface Endpoint {}

  public record Ip(String address, int port) implements Endpoint {}

  public record Fqdn(String hostname, int port) implements Endpoint {}

  public record Unix(String path) implements Endpoint {}
}
