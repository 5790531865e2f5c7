package dev.gatehouse.policy.resource;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code gateway.networking.k8s.io/v1beta1 ReferenceGrant}: lets resources of other namespaces refer to this one's. */
public record ReferenceGrant(Meta meta, List<From> from, List<To> to) implements Resource {
  public record From(String group, String kind, String namespace) {}

  public record To(String group, String kind, @Nullable String name) {}
}
