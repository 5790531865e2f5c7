package dev.gatehouse.authz;

import dev.gatehouse.authz.Verdict.Allow;
import dev.gatehouse.authz.Verdict.Deny;
import dev.gatehouse.authz.Verdict.Reason;
import dev.gatehouse.authz.Verdict.Unavailable;
import java.time.Instant;

/**
 * The decision: who is it, and may they. Pure but for the memory of tokens that it verified: the same request, plan, facts, keys
 * and time have the same verdict. Nothing in it waits. The only place that makes an {@link Allow}.
 */
final class Authorizer {
  private final Authenticator authenticator;

  Authorizer(Authenticator authenticator) {
    this.authenticator = authenticator;
  }

  Verdict decide(RoutePlan plan, RequestView request, Facts facts, Instant now) {
    return switch (plan) {
      case RoutePlan.Open(var grant) -> new Allow(grant, "open");
      case RoutePlan.Nowhere(var why) -> new Deny(Reason.NO_ROUTE, "", "", why);
      case RoutePlan.Refused(var policy) ->
        new Unavailable("policy-rejected", policy, "the policy cannot be honoured, see lint");
      case RoutePlan.Guarded guarded ->
        switch (authenticator.authenticate(guarded.guard(), request, facts, now)) {
          case Authenticator.Stopped(var verdict) -> verdict;
          case Grant grant -> authorize(guarded, request, grant);
        };
    };
  }

  private static Verdict authorize(RoutePlan.Guarded plan, RequestView request, Grant grant) {
    var rules = plan.guard().rules();
    if (rules == null) {
      return new Allow(grant, "authenticated");
    }
    var ruling = rules.judge(request, plan.route(), grant);
    if (ruling.allow()) {
      return new Allow(grant, ruling.rule());
    }
    var reason = ruling.insufficientScope() ? Reason.INSUFFICIENT_SCOPE : Reason.FORBIDDEN;
    return new Deny(reason, grant.who(), grant.policy(), ruling.rule());
  }
}
