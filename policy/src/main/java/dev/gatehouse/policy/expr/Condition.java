package dev.gatehouse.policy.expr;

/** A compiled CEL expression of type bool. Thread-safe. */
public interface Condition {
  /** @throws EvaluationException when it cannot be evaluated, such as a missing key */
  boolean test(RequestFacts request) throws EvaluationException;

  Reads reads();
}
