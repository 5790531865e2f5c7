package dev.gatehouse.authz;

import dev.gatehouse.authz.Verdict.Allow;
import dev.gatehouse.authz.Verdict.Because;
import dev.gatehouse.authz.Verdict.Deny;
import dev.gatehouse.authz.Verdict.Reason;
import dev.gatehouse.authz.Verdict.Unavailable;
import java.time.Instant;
import java.util.Map;

/**
 * The decision: who is it, and may they. Pure but for the memory of credentials that were verified: the same request, plan, facts,
 * keys and time have the same verdict. Nothing in it waits. The only place that makes an {@link Allow}.
 */
final class Authorizer {
  Verdict decide(RoutePlan plan, RequestView request, Facts facts, Instant now) {
    if (request.trace().listens()) {
      tell(plan, request);
    }
    return switch (plan) {
      case RoutePlan.Open(var grant) -> new Allow(grant, "open", null);
      case RoutePlan.Nowhere(var why) ->
        new Deny(Reason.NO_ROUTE, "", Answers.PLAIN, Map.of(), "", why);
      case RoutePlan.Refused(var policy) ->
        new Unavailable("policy-rejected", policy, "the policy cannot be honoured, see lint");
      case RoutePlan.Guarded guarded ->
        switch (Authenticator.authenticate(guarded, request, facts, now)) {
          case Authenticator.Stopped(var verdict) -> inForce(guarded, request, verdict);
          case Grant grant -> authorize(guarded, request, grant);
        };
    };
  }

  private static void tell(RoutePlan plan, RequestView request) {
    var outcome = switch (plan) {
      case RoutePlan.Open _ -> "open: no policy holds";
      case RoutePlan.Nowhere(var why) -> "nowhere: " + why;
      case RoutePlan.Refused(var policy) -> "refused: " + policy + " cannot be honoured";
      case RoutePlan.Guarded(var route, var guard) -> route + ", guarded by " + guard.policy();
    };
    request.trace().step("plan", request.method() + " " + request.urlPath(), outcome);
  }

  /** What a verdict of this plan comes to: a policy in shadow lets pass what it would not. */
  Verdict inForce(RoutePlan plan, RequestView request, Verdict verdict) {
    if (!(plan instanceof RoutePlan.Guarded guarded)
        || !guarded.guard().passing().shadow()) {
      return verdict;
    }
    return switch (verdict) {
      case Allow _, Verdict.Needs _ -> verdict;
      case Deny _, Unavailable _ ->
        shadow(guarded, request, guarded.guard().nobody(Because.SHADOW), verdict);
    };
  }

  private static Verdict authorize(RoutePlan.Guarded plan, RequestView request, Grant grant) {
    var rules = plan.guard().rules();
    if (rules == null) {
      return new Allow(grant.answering(plan.guard(), request, plan.route()), "authenticated", null);
    }
    var ruling = rules.judge(request, plan.route(), grant, request.trace());
    if (ruling.allow()) {
      return new Allow(grant.answering(plan.guard(), request, plan.route()), ruling.rule(), null);
    }
    var reason = ruling.insufficientScope() ? Reason.INSUFFICIENT_SCOPE : Reason.FORBIDDEN;
    var denial = Authenticator.denial(plan, request, reason, grant.who(), ruling.rule());
    return plan.guard().passing().shadow() ? shadow(plan, request, grant, denial) : denial;
  }

  private static Verdict shadow(
      RoutePlan.Guarded plan, RequestView request, Grant grant, Verdict instead) {
    return new Allow(grant.answering(plan.guard(), request, plan.route()), "shadow", instead);
  }
}
