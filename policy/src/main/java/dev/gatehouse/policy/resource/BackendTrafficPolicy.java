package dev.gatehouse.policy.resource;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code gateway.envoyproxy.io/v1alpha1 BackendTrafficPolicy}: its {@code rateLimit.global}. */
public record BackendTrafficPolicy(Meta meta, Targets targets, List<Rule> rules) implements Policy {
  /**
   * One global rule. Selectors are all to hold; none means every request of the route.
   *
   * @param requests 0 denies all
   */
  public record Rule(
      List<ClientSelector> selectors,
      long requests,
      Unit unit,
      boolean shadowMode,
      Origin origin) {}

  public enum Unit {
    SECOND,
    MINUTE,
    HOUR,
    DAY,
    WEEK,
    MONTH,
    YEAR
  }

  public record ClientSelector(
      List<HeaderSelector> headers,
      List<MethodSelector> methods,
      @Nullable PathSelector path,
      @Nullable SourceCidr sourceCidr,
      List<QuerySelector> queryParams) {}

  public record HeaderSelector(String name, StringMatch match, boolean invert) {}

  public record MethodSelector(String value, boolean invert) {}

  public record PathSelector(StringMatch match, boolean invert) {}

  /** @param distinct each address counts by itself */
  public record SourceCidr(String cidr, boolean distinct, boolean invert) {}

  public record QuerySelector(String name, StringMatch match, boolean invert) {}
}
