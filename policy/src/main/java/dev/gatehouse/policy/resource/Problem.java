package dev.gatehouse.policy.resource;

/**
 * One thing that is wrong with the policies.
 *
 * @param path where in the resource, such as {@code spec.jwt.providers[0].audience}; empty when the whole of it is meant
 * @param message what was wrong, what was expected, and how to mend it
 */
public record Problem(Severity severity, Origin origin, String path, String message) {
  /** An error keeps a policy out of force; a warning and a notice do not. */
  public enum Severity {
    ERROR,
    WARNING,
    NOTICE
  }

  @Override
  public String toString() {
    var where = origin.equals(Origin.NONE) ? "" : origin + ": ";
    var kind =
        severity == Severity.ERROR ? "" : severity.name().toLowerCase(java.util.Locale.ROOT) + ": ";
    return where + kind + (path.isEmpty() ? "" : path + ": ") + message;
  }
}
