package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import java.util.List;

/** The descriptors that Envoy Gateway would make of a BackendTrafficPolicy: the one source of their names for {@code wire} and the service. */
public final class Actions {
  private Actions() {}

  /** The rate limit domain of a rule: its listener, {@code namespace/gateway/listener}. */
  public static String domain(AttachedRule rule) {
    return rule.listener().toString();
  }

  /** The {@code rate_limits} of the Envoy route of one match of a rule and one hostname; empty when nothing limits it. */
  public static List<List<Action>> of(AttachedRule rule, int match, String hostname) {
    throw new UnsupportedOperationException();
  }
}
