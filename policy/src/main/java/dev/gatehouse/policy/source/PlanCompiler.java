package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import org.jspecify.annotations.Nullable;

/** Makes a service's plan of the policies. What it cannot honour it reports, and compiles to a refusal. */
public interface PlanCompiler<P> {
  /** @param previous the plan in force; null at first */
  P compile(PolicySet policies, @Nullable P previous, Problems problems);
}
