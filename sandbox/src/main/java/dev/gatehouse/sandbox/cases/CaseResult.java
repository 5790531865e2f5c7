package dev.gatehouse.sandbox.cases;

import java.time.Duration;
import java.util.List;

/**
 * What came of a case.
 *
 * @param name the case's folder, below the one that was searched
 * @param about what the case shows; its name where it does not say
 */
public record CaseResult(String name, String about, List<Step> steps, Duration took) {
  /** @param wrong what was expected and what came instead; empty when all fits */
  public record Step(String title, List<String> wrong) {
    public boolean passed() {
      return wrong.isEmpty();
    }
  }

  public boolean passed() {
    return steps.stream().allMatch(Step::passed);
  }

  /** Everything that is wrong, a step a paragraph; empty when all fits. */
  public String wrong() {
    var text = new StringBuilder();
    for (var step : steps) {
      if (!step.passed()) {
        text.append(step.title).append('\n');
        step.wrong.forEach(line -> text.append("  ").append(line).append('\n'));
      }
    }
    return text.toString();
  }
}
