package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Problem.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects all the problems of one load, so that a user sees them at once. Not thread-safe. */
public final class Problems {
  /** More than anyone reads; what comes after is counted. */
  private static final int MAX = 10_000;

  private final List<Problem> all = new ArrayList<>();
  private int errors;

  public void error(Origin origin, String path, String message) {
    add(new Problem(Severity.ERROR, origin, path, message));
  }

  public void warning(Origin origin, String path, String message) {
    add(new Problem(Severity.WARNING, origin, path, message));
  }

  /** Says what a user may want to know and need not act on, such as a kind that is skipped. */
  public void notice(Origin origin, String path, String message) {
    add(new Problem(Severity.NOTICE, origin, path, message));
  }

  private void add(Problem problem) {
    errors += problem.severity() == Severity.ERROR ? 1 : 0;
    if (all.size() < MAX) {
      all.add(problem);
    }
  }

  public boolean hasErrors() {
    return errors > 0;
  }

  /** The number of errors so far: a caller that compares it before and after knows whether its part was sound. */
  public int errors() {
    return errors;
  }

  /** Everything, by file, line and column. */
  public List<Problem> all() {
    return all.stream()
        .sorted(Comparator.<Problem, String>comparing(p -> p.origin().file())
            .thenComparingInt(p -> p.origin().line())
            .thenComparingInt(p -> p.origin().column()))
        .distinct()
        .toList();
  }
}
