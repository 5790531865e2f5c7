package dev.gatehouse.policy.resource;

import java.util.Collections;
import java.util.SortedSet;

/** A resource that attaches to others by {@code targetRefs} and {@code targetSelectors}. */
public sealed interface Policy extends Resource
    permits SecurityPolicy,
        BackendTrafficPolicy,
        TransformPolicy,
        EnvoyExtensionPolicy,
        RejectedPolicy {
  Targets targets();

  /** The header names, in lower case, that it sets towards the upstream on Gateways that it holds on, so that no client may. */
  default SortedSet<String> ownedHeaders() {
    return Collections.emptySortedSet();
  }
}
