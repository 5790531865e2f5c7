package dev.gatehouse.authz;

import dev.gatehouse.authz.rules.Trace;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/** Envoy's {@code Authorization/Check}: asks the {@link Authorizer} and says its verdict in Envoy's words. Runs on the event loop; never blocks. */
final class AuthzService {
  private final Live<AuthPlan> plans; // one volatile read a request
  private final Decisions
      decisions; // asks the pure Authorizer, fetches what it needs, comes back on this loop
  private final Answers answers; // the one place that can say "allow"; ready-made bytes
  private final DecisionListener listener; // metrics, decision log, the demo's live view
  private final boolean addressFromHeader;

  AuthzService(
      Live<AuthPlan> plans,
      Decisions decisions,
      Answers answers,
      DecisionListener listener,
      boolean addressFromHeader) {
    this.plans = plans;
    this.decisions = decisions;
    this.answers = answers;
    this.listener = listener;
    this.addressFromHeader = addressFromHeader;
  }

  void check(CheckRequest request, StreamObserver<byte[]> response) {
    check(RequestView.of(request.getAttributes(), addressFromHeader), response);
  }

  /** The same, for somebody who wants to know why. */
  void explain(CheckRequest request, Trace trace, StreamObserver<byte[]> response) {
    check(RequestView.traced(request.getAttributes(), addressFromHeader, trace), response);
  }

  private void check(RequestView view, StreamObserver<byte[]> response) {
    long begun = System.nanoTime();
    decisions.decide(plans.current(), view, verdict -> {
      if (!(response instanceof ServerCallStreamObserver<?> call && call.isCancelled())) {
        response.onNext(answers.of(verdict, view.decisionId()));
        response.onCompleted();
      }
      if (listener.listens()) {
        listener.decided(decision(view, verdict, System.nanoTime() - begun));
      }
    });
  }

  private static Decision decision(RequestView view, Verdict verdict, long nanos) {
    return switch (verdict) {
      case Verdict.Allow(var grant, var rule, var instead)
      when instead == null ->
        of(view, grant.who(), grant.policy(), Outcome.ALLOWED, grant.because().word(), rule, nanos);
      case Verdict.Allow(var grant, var _, var instead) -> shadow(view, grant, instead, nanos);
      case Verdict.Deny deny ->
        of(
            view,
            deny.who(),
            deny.policy(),
            Outcome.DENIED,
            deny.reason().word(),
            deny.detail(),
            nanos);
      case Verdict.Unavailable(var reason, var policy, var detail) ->
        of(view, "", policy, Outcome.UNAVAILABLE, reason, detail, nanos);
      case Verdict.Needs(var _, var policy) ->
        of(view, "", policy, Outcome.UNAVAILABLE, "undecided", "", nanos);
    };
  }

  /** Counted under the reason that it would have been denied for. */
  private static Decision shadow(
      RequestView view, Grant grant, @Nullable Verdict instead, long nanos) {
    var would = instead == null ? null : decision(view, instead, nanos);
    return of(
        view,
        grant.who(),
        grant.policy(),
        Outcome.ALLOWED,
        "shadow" + (would == null ? "" : "-" + would.reason()),
        would == null ? "" : "would be denied: " + would.detail(),
        nanos);
  }

  private static Decision of(
      RequestView view,
      String who,
      String policy,
      Outcome outcome,
      String reason,
      String detail,
      long nanos) {
    return new Decision(
        "ext-authz",
        view.decisionId().toStringUtf8(),
        view.method(),
        view.urlPath(),
        who,
        policy,
        outcome,
        reason,
        detail,
        nanos);
  }
}
