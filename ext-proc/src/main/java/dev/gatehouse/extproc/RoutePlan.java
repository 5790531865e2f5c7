package dev.gatehouse.extproc;

import dev.gatehouse.extproc.transform.TransformPlan;

/** What ext-proc does on a route. */
sealed interface RoutePlan {
  /** No policy: everything passes. */
  record Open() implements RoutePlan {}

  /** The policy cannot be honoured: streams are failed. */
  record Refused(String policy) implements RoutePlan {}

  record Transform(TransformPlan plan) implements RoutePlan {}
}
