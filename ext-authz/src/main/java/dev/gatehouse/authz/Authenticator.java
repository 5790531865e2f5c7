package dev.gatehouse.authz;

import dev.gatehouse.authz.Verdict.Because;
import dev.gatehouse.authz.Verdict.Reason;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who calls, by the methods of the policy. A credential that is there and bad is refused whatever else there is: it never
 * counts as absent, and no other credential makes good for it, since the upstream sees it too.
 */
final class Authenticator {
  private Authenticator() {}

  /** Who it is, or why that cannot be said. */
  sealed interface Outcome permits Grant, Stopped {}

  record Stopped(Verdict verdict) implements Outcome {}

  static Outcome authenticate(
      RoutePlan.Guarded plan, RequestView request, Facts facts, Instant now) {
    var guard = plan.guard();
    var methods = guard.methods();
    var found = new Found();
    for (int i = 0; i < methods.size(); i++) {
      var method = methods.get(i);
      var attempt = method.attempt(request, facts, now);
      if (request.trace().listens()) {
        request.trace().step(method.name(), method.scheme(), described(attempt));
      }
      switch (attempt) {
        case Proof proof -> found.good(proof);
        case Method.Attempt.Absent _ -> found.missing |= method.required();
        case Method.Attempt.Bad(var detail) -> {
          return denied(plan, request, Reason.BAD_CREDENTIAL, method.name() + ": " + detail);
        }
        case Method.Attempt.Open(var more) -> found.needed(more);
        case Method.Attempt.Unsure(var why) -> found.unsure = why;
      }
    }
    return settle(plan, request, found);
  }

  /** What the methods said, none of them that a credential is bad. */
  private static final class Found {
    private @Nullable Proof first;
    private @Nullable List<Proof> all;
    private @Nullable List<Fact> needed;
    private @Nullable String unsure;
    private boolean missing;

    void good(Proof proof) {
      if (first == null) {
        first = proof;
        return;
      }
      if (all == null) {
        all = new ArrayList<>(List.of(first));
      }
      all.add(proof);
    }

    void needed(List<Fact> facts) {
      if (needed == null) {
        needed = new ArrayList<>();
      }
      needed.addAll(facts);
    }

    boolean nothing() {
      return first == null && needed == null && unsure == null;
    }
  }

  private static Outcome settle(RoutePlan.Guarded plan, RequestView request, Found found) {
    var guard = plan.guard();
    if (found.nothing()) {
      return nobody(plan, request, found.missing);
    }
    if (found.missing && !guard.passing().anyMethod()) {
      return denied(plan, request, Reason.NO_CREDENTIAL, "one of the methods has no credential");
    }
    if (found.needed != null) {
      return new Stopped(new Verdict.Needs(List.copyOf(found.needed), guard.policy()));
    }
    if (found.unsure != null || found.first == null) {
      return new Stopped(new Verdict.Unavailable(
          "keys-unavailable", guard.policy(), String.valueOf(found.unsure)));
    }
    return found.all == null
        ? found.first.alone(guard)
        : Grant.of(guard, found.all.stream().map(Proof::who).toList());
  }

  /**
   * There is no credential of any kind.
   *
   * @param missing one of the methods is not optional
   */
  private static Outcome nobody(RoutePlan.Guarded plan, RequestView request, boolean missing) {
    var guard = plan.guard();
    var passing = guard.passing();
    if (passing.anonymous() && holds(plan, request)) {
      return guard.nobody(Because.ANONYMOUS);
    }
    if (guard.methods().isEmpty() && !passing.anonymous()) {
      return guard.nobody(Because.NO_METHOD);
    }
    if (passing.optional() && !missing) {
      return guard.nobody(Because.OPTIONAL);
    }
    return denied(plan, request, Reason.NO_CREDENTIAL, "there is no credential");
  }

  private static boolean holds(RoutePlan.Guarded plan, RequestView request) {
    var when = plan.guard().passing().anonymousWhen();
    if (when == null) {
      return true;
    }
    boolean holds;
    try {
      holds = when.test(unknown(plan, request));
    } catch (EvaluationException _) {
      holds = false;
    }
    if (request.trace().listens()) {
      request.trace().step("anonymous.when", when.toString(), holds ? "holds" : "does not hold");
    }
    return holds;
  }

  private static Outcome denied(
      RoutePlan.Guarded plan, RequestView request, Reason reason, String detail) {
    return new Stopped(denial(plan, request, reason, "", detail));
  }

  /** A denial in the policy's words. */
  static Verdict.Deny denial(
      RoutePlan.Guarded plan, RequestView request, Reason reason, String who, String detail) {
    var guard = plan.guard();
    return new Verdict.Deny(
        reason,
        who,
        guard.denials(),
        guard.response().denied(unknown(plan, request)),
        guard.policy(),
        detail);
  }

  private static RequestFacts unknown(RoutePlan.Guarded plan, RequestView request) {
    return new SeenRequest(request, null, plan.route());
  }

  private static String described(Method.Attempt attempt) {
    return switch (attempt) {
      case Proof proof -> "identified " + proof.who().auth().sub();
      case Method.Attempt.Absent _ -> "no credential";
      case Method.Attempt.Bad(var detail) -> "bad: " + detail;
      case Method.Attempt.Open _ -> "has to be found out first";
      case Method.Attempt.Unsure(var why) -> "cannot be said: " + why;
    };
  }
}
