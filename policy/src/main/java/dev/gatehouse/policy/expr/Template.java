package dev.gatehouse.policy.expr;

import java.util.function.UnaryOperator;

/** A text with CEL in {@code ${…}}, compiled. Thread-safe. */
public interface Template {
  /** @throws EvaluationException when an expression cannot be evaluated, such as a missing key */
  String render(RequestFacts request) throws EvaluationException;

  /**
   * As {@link #render(RequestFacts)}, for a text in which not everything may stand.
   *
   * @param escape is given what each expression yields and says what stands for it; what stands in the template itself is left as it is
   */
  String render(RequestFacts request, UnaryOperator<String> escape) throws EvaluationException;

  /** What stands in it beside the expressions, put together. */
  String literals();

  /** Whether the text is the same for every request of one caller: it names nothing but {@code auth}. */
  boolean sameForCaller();

  Reads reads();
}
