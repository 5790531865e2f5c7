package dev.gatehouse.extproc;

import dev.gatehouse.extproc.transform.TransformCompiler;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** Makes the plans of one load. A policy that holds for several routes is compiled once. */
final class PlanBook {
  private static final RoutePlan OPEN = new RoutePlan.Open();

  private final TransformCompiler compiler;
  private final IdentityHashMap<TransformPolicy, RoutePlan> compiled = new IdentityHashMap<>();

  private PlanBook(Problems problems) {
    this.compiler = new TransformCompiler(problems);
  }

  static RoutePlans<RoutePlan> compile(
      PolicySet policies, @Nullable RoutePlans<RoutePlan> previous, Problems problems) {
    return RoutePlans.of(policies, new PlanBook(problems)::plan, previous);
  }

  private RoutePlan plan(AttachedRule rule) {
    return switch (rule.transform()) {
      case Attachment.None<TransformPolicy> none -> OPEN;
      case Attachment.Rejected<TransformPolicy>(var meta) -> new RoutePlan.Refused(meta.id());
      case Attachment.Of<TransformPolicy>(var policy) ->
        compiled.computeIfAbsent(policy, this::transform);
    };
  }

  private RoutePlan transform(TransformPolicy policy) {
    if (policy.request().isEmpty() && policy.response().isEmpty()) {
      return OPEN;
    }
    var plan = compiler.compile(policy);
    return plan == null ? new RoutePlan.Refused(policy.meta().id()) : new RoutePlan.Transform(plan);
  }
}
