package dev.gatehouse.policy.expr;

record CelCondition(Expression expression) implements Condition {
  @Override
  public boolean test(RequestFacts request) throws EvaluationException {
    if (expression.evaluate(request) instanceof Boolean holds) {
      return holds;
    }
    throw new EvaluationException("`" + expression + "` yields no bool");
  }

  @Override
  public Reads reads() {
    return expression.reads();
  }

  @Override
  public String toString() {
    return expression.toString();
  }
}
