package dev.gatehouse.policy.resource;

/** How a header, query parameter or path is compared. Regular expressions are RE2's (Envoy's), matched in full. */
public record StringMatch(Type type, String value) {
  /** {@code DISTINCT} (rate limits only) matches any value and counts each by itself. {@code PATH_PREFIX} is by path element. */
  public enum Type {
    EXACT,
    PATH_PREFIX,
    REGULAR_EXPRESSION,
    DISTINCT
  }
}
