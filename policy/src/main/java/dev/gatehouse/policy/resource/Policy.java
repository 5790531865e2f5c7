package dev.gatehouse.policy.resource;

/** A resource that attaches to others by {@code targetRefs} and {@code targetSelectors}. */
public sealed interface Policy extends Resource
    permits SecurityPolicy, BackendTrafficPolicy, TransformPolicy, RejectedPolicy {
  Targets targets();
}
