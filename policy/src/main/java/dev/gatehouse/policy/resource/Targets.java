package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a policy holds for (GEP-713 policy attachment, in the policy's own namespace).
 *
 * @param everything the targets could not be read, so the (rejected) policy counts against every route
 */
public record Targets(List<Ref> refs, List<Selector> selectors, boolean everything) {
  public Targets(List<Ref> refs, List<Selector> selectors) {
    this(refs, selectors, false);
  }

  /** For a policy whose targets could not be read. */
  public static Targets ofEverything() {
    return new Targets(List.of(), List.of(), true);
  }

  /**
   * One of {@code targetRefs}.
   *
   * @param kind {@code Gateway}, {@code HTTPRoute} or {@code GRPCRoute}
   * @param sectionName a listener's or a route rule's name
   */
  public record Ref(
      String group, String kind, String name, @Nullable String sectionName, Origin origin) {}

  /** One of {@code targetSelectors}: every resource of the kind that bears all the labels. */
  public record Selector(
      String group, String kind, Map<String, String> matchLabels, Origin origin) {}
}
