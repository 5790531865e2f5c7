package dev.gatehouse.policy.expr;

/** A text with CEL in {@code ${…}}, compiled. Thread-safe. */
public interface Template {
  /** @throws EvaluationException when an expression cannot be evaluated, such as a missing key */
  String render(RequestFacts request) throws EvaluationException;

  /** Whether the text is the same for every request of one caller: it names nothing but {@code auth}. */
  boolean sameForCaller();
}
