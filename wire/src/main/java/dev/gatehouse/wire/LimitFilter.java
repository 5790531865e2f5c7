package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Denial;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.OnUnavailable;
import dev.gatehouse.ratelimit.descriptor.Actions;
import dev.gatehouse.ratelimit.descriptor.RouteLimit;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * One of a listener's rate limit filters. A filter makes one call, in one domain, has one status for whoever is over a limit, and one answer
 * for when nobody decides: what a request is asked for in a second domain, or is answered otherwise, needs a filter of its own.
 *
 * @param domain of the shared rules of one BackendTrafficPolicy; empty for the domain of a route's other rules, which the route names
 * @param failsClosed whether a request is denied that the service does not answer for
 */
record LimitFilter(String domain, int status, boolean failsClosed) {
  private static final LimitFilter USUAL = new LimitFilter("", Denial.USUAL.status(), false);

  /** Those that the rules of a listener need, and the usual one, in an order that is always the same. */
  static List<LimitFilter> of(Stream<AttachedRule> rules) {
    return Stream.concat(
            Stream.of(USUAL),
            rules.flatMap(rule -> Actions.of(rule, 0, "*").stream()
                .map(RouteLimit::domain)
                .distinct()
                .map(domain -> of(rule, domain))))
        .distinct()
        .sorted(Comparator.comparing(LimitFilter::domain)
            .thenComparingInt(LimitFilter::status)
            .thenComparing(LimitFilter::failsClosed))
        .toList();
  }

  /** The filter that asks for a rule's limits of one domain. */
  static LimitFilter of(AttachedRule rule, String domain) {
    return new LimitFilter(
        Actions.isApart(rule, domain) ? domain : "",
        RateLimits.denial(rule).status(),
        failsClosed(rule));
  }

  /** {@code onUnavailable: Deny} of one rule is enough: without the service nobody can say that its limit has room. */
  private static boolean failsClosed(AttachedRule rule) {
    return rule.traffic() instanceof Attachment.Of<BackendTrafficPolicy>(var policy)
        && policy.rules().stream()
            .anyMatch(limit -> limit.onUnavailable() == OnUnavailable.DENY && !limit.shadowMode());
  }

  /** As Envoy Gateway names them; what is not usual stands behind. */
  String name() {
    return HttpFilters.RATELIMIT
        + (domain.isEmpty() ? "" : "/" + domain)
        + (hasUsualStatus() ? "" : "/" + status)
        + (failsClosed ? "/deny" : "");
  }

  boolean hasUsualStatus() {
    return status == USUAL.status;
  }
}
