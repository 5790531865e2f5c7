package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A compiler, the plan that is in force, and the one that may come to be. */
final class Plan<P> {
  private static final Logger LOG = LoggerFactory.getLogger(Plan.class);

  private final PlanCompiler<P> compiler;
  private final Live<P> live;
  private @Nullable P next;

  private Plan(PlanCompiler<P> compiler, P first) {
    this.compiler = compiler;
    this.live = new Live<>(first);
  }

  /** Compiles the first plan; where the compiler fails, one that refuses. */
  static <P> Plan<P> first(PlanCompiler<P> compiler, Reading reading, PolicySet policies) {
    var plan = compile(compiler, policies, null, reading.problems());
    return new Plan<>(
        compiler,
        plan != null
            ? plan
            : compiler.compile(reading.attachRefused("policies"), null, new Problems()));
  }

  Live<P> live() {
    return live;
  }

  /** Makes the next plan; nothing changes until {@link #swap}. */
  void prepare(PolicySet policies, Problems problems) {
    next = compile(compiler, policies, live.current(), problems);
  }

  void swap() {
    var plan = next;
    if (plan != null) {
      live.swap(plan);
    }
    forget();
  }

  void forget() {
    next = null;
  }

  private static <P> @Nullable P compile(
      PlanCompiler<P> compiler, PolicySet policies, @Nullable P previous, Problems problems) {
    try {
      return compiler.compile(policies, previous, problems);
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("A plan could not be made of the policies", e);
      problems.error(
          Origin.NONE,
          "",
          "no plan could be made of the policies (" + e.getClass().getSimpleName()
              + ", a fault of Gatehouse; the log has more)");
      return null;
    }
  }
}
