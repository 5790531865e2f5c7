package dev.gatehouse.policy.expr;

/** An expression that could not be evaluated for this request. Carries no stack trace: it is an ordinary outcome. */
public final class EvaluationException extends Exception {
  private static final long serialVersionUID = 1L;

  public EvaluationException(String message) {
    super(message, null, false, false);
  }
}
