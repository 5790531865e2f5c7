package dev.gatehouse.policy.resource;

import java.util.Collections;
import java.util.SortedSet;

/**
 * A policy that cannot be honoured: its {@code meta.kind} and targets are known, its content is not in force, and what it
 * targets is refused by the service that reads its kind (ARCHITECTURE, rule 5). The problems say why.
 *
 * @param targets as far as they could be read; {@link Targets#ofEverything()} when they could not
 * @param ownedHeaders those that could still be read: an error in a policy lets no client write what upstreams take for ours
 */
public record RejectedPolicy(Meta meta, Targets targets, SortedSet<String> ownedHeaders)
    implements Policy {
  public RejectedPolicy(Meta meta, Targets targets) {
    this(meta, targets, Collections.emptySortedSet());
  }
}
