package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.expr.RequestFacts;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A service's plans by route: the three ways of finding one (docs/policies.md) in one place. Immutable but for the previous
 * generation, whose bindings it keeps for a while, so that an Envoy that has not moved yet still finds its plans. Looking up
 * allocates nothing.
 */
public final class RoutePlans<P> {
  private RoutePlans() {}

  /**
   * Compiles a plan for every rule.
   *
   * @param previous the generation before, whose bindings stay known until Envoy has moved; null at first
   */
  public static <P> RoutePlans<P> of(
      PolicySet set, Function<AttachedRule, P> compile, @Nullable RoutePlans<P> previous) {
    throw new UnsupportedOperationException();
  }

  /** By what {@code wire} wrote; null or empty strings are absent. */
  public Lookup<P> byBinding(@Nullable String listener, @Nullable String route) {
    throw new UnsupportedOperationException();
  }

  /** By Envoy Gateway's route metadata, which names no Gateway: plans that differ between Gateways are unresolved. */
  public Lookup<P> byRouteMetadata(
      String kind, String namespace, String name, @Nullable String sectionName) {
    throw new UnsupportedOperationException();
  }

  /** By matching the request against the routes as the Gateway API and Envoy do ({@code --match-routes}). */
  public Lookup<P> byMatch(RequestFacts request) {
    throw new UnsupportedOperationException();
  }
}
