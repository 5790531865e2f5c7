package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.ratelimit.descriptor.Actions;
import dev.gatehouse.ratelimit.descriptor.RouteLimit;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * One of a listener's rate limit filters. A filter makes one call, in one domain, and has one status for whoever is over a limit: what a
 * request is asked for in a second domain, or is denied with another status, needs a filter of its own.
 *
 * @param domain of the shared rules of one BackendTrafficPolicy; empty for the domain of a route's other rules, which the route names
 */
record LimitFilter(String domain, int status) {
  private static final LimitFilter USUAL = new LimitFilter("", Denial.USUAL.status());

  /** Those that the rules of a listener need, the usual one first and always. */
  static List<LimitFilter> of(Stream<AttachedRule> rules) {
    return Stream.concat(
            Stream.of(USUAL),
            rules.flatMap(rule -> Actions.of(rule, 0, "*").stream()
                .map(RouteLimit::domain)
                .distinct()
                .map(domain -> of(rule, domain))))
        .distinct()
        .sorted(Comparator.comparing(LimitFilter::domain).thenComparingInt(LimitFilter::status))
        .toList();
  }

  /** The filter that asks for a rule's limits of one domain. */
  static LimitFilter of(AttachedRule rule, String domain) {
    return new LimitFilter(
        Actions.isApart(rule, domain) ? domain : "", RateLimits.denial(rule).status());
  }

  /** As Envoy Gateway names them; another status stands behind. */
  String name() {
    return HttpFilters.RATELIMIT
        + (domain.isEmpty() ? "" : "/" + domain)
        + (status == USUAL.status ? "" : "/" + status);
  }

  boolean hasUsualStatus() {
    return status == USUAL.status;
  }
}
