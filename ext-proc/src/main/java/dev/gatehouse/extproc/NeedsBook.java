package dev.gatehouse.extproc;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.IdentityHashMap;

/** The {@link Needs} of one load's rules. A policy that holds for several of them is compiled once. Not thread-safe. */
public final class NeedsBook {
  private final IdentityHashMap<TransformPolicy, Needs> known = new IdentityHashMap<>();

  public Needs of(AttachedRule rule) {
    return rule.transform() instanceof Attachment.Of<TransformPolicy>(var policy)
        ? known.computeIfAbsent(policy, one -> Needs.of(rule))
        : Needs.of(rule);
  }
}
