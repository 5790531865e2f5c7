package dev.gatehouse.policy.attach;

/**
 * A rule of a route, written {@code kind/namespace/name/rule}.
 *
 * @param rule the rule's name or, where it has none, a short hash of its matches: an index would point to another rule for a moment when rules move
 */
public record RouteKey(String kind, String namespace, String name, String rule) {
  @Override
  public String toString() {
    return kind + "/" + namespace + "/" + name + "/" + rule;
  }
}
