package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Policy;

/** What of one kind of policy holds on a route rule. */
public sealed interface Attachment<P extends Policy> {
  /** No policy of the kind: open. */
  record None<P extends Policy>() implements Attachment<P> {}

  /** The most specific policy. */
  record Of<P extends Policy>(P policy) implements Attachment<P> {}

  /** The most specific policy cannot be honoured: the service refuses. {@code meta} names the policy, or the file that could not be read. */
  record Rejected<P extends Policy>(Meta meta) implements Attachment<P> {}
}
