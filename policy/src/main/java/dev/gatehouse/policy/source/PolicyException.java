package dev.gatehouse.policy.source;

import dev.gatehouse.policy.resource.Problem;
import java.util.List;

/** The policies have errors and {@code --strict} was asked for. */
public final class PolicyException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final transient List<Problem> problems;

  public PolicyException(List<Problem> problems) {
    super(problems.size() + " problems with the policies");
    this.problems = problems;
  }

  public List<Problem> problems() {
    return problems;
  }
}
