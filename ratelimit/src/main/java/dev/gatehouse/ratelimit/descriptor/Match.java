package dev.gatehouse.ratelimit.descriptor;

/** What the tree says about one descriptor of a request. */
public sealed interface Match {
  /**
   * @param subject the values that count by themselves, such as the user of a limit per user; empty when all share one counter
   * @param metric the limit's name in the statistics: its own, or one with values of the request in it ({@code detailed_metric}, {@code
   *     value_to_metric})
   */
  record Limited(Limit limit, String subject, String metric) implements Match {}

  /** Known, and not limited. */
  enum Unlimited implements Match {
    UNLIMITED
  }

  /** Not in the tree: Envoy and the policies are of different generations for a moment, or do not belong together. */
  enum Unknown implements Match {
    DESCRIPTOR,
    /** Not even the domain. */
    DOMAIN
  }

  /** Not a domain of the policies, and the configuration that may have it has not come yet. */
  enum NotLoaded implements Match {
    NOT_LOADED
  }

  /** @param origin the policy that cannot be honoured, {@code namespace/name} */
  record Refused(String origin) implements Match {}
}
