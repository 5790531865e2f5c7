package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.source.Live;
import dev.gatehouse.ratelimit.UnaryCalls.Answer;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.grpc.Metadata;
import io.grpc.Status;

/**
 * Envoy's {@code RateLimitService/ShouldRateLimit}: finds the limits of a request's descriptors, counts in the {@link CounterStore}, and says
 * whether one is over. Runs on the event loop; never blocks. What it cannot decide, the limits' own {@link Fallback} decides; else it answers
 * UNAVAILABLE, and Envoy's {@code failure_mode_deny} says what becomes of the request.
 */
final class RateLimitService {
  private final Live<LimitTree> limits;
  private final CounterStore store;
  private final Fallback fallback;
  private final Answers answers;
  private final Report report;

  RateLimitService(
      Live<LimitTree> limits,
      CounterStore store,
      Fallback fallback,
      Answers answers,
      Report report) {
    this.limits = limits;
    this.store = store;
    this.fallback = fallback;
    this.answers = answers;
    this.report = report;
  }

  void shouldRateLimit(RateLimitRequest request, Metadata metadata, Answer answer) {
    var call = report.begin(request, metadata);
    switch (Plan.of(limits.current(), request)) {
      case Plan.Count plan -> count(request, plan, call, answer);
      case Plan.Refuse(var origin) -> {
        answer.fail(Status.UNAVAILABLE.withDescription(
            "the policy " + origin + " cannot be honoured; its errors are in the service's log"));
        call.refused(origin);
      }
      // UNKNOWN, as envoyproxy/ratelimit answers.
      case Plan.Invalid(var why) -> {
        answer.fail(Status.UNKNOWN.withDescription(why));
        call.invalid();
      }
    }
  }

  private void count(RateLimitRequest request, Plan.Count plan, Report.Call call, Answer answer) {
    long now = store.now();
    if (plan.hits().isEmpty()) {
      judge(request, plan, Counts.NONE, now, call, answer);
      return;
    }
    store.apply(plan.hits(), now, new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        try {
          judge(request, plan, counts, now, call, answer);
        } catch (RuntimeException e) {
          answer.broken(e);
        }
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        try {
          fallBack(request, plan, reason, now, call, answer);
        } catch (RuntimeException e) {
          answer.broken(e);
        }
      }
    });
  }

  private void judge(
      RateLimitRequest request,
      Plan.Count plan,
      Counts counts,
      long now,
      Report.Call call,
      Answer answer) {
    var verdict = answers.judge(plan, counts, now);
    answer.send(answers.of(verdict, request, plan));
    call.decided(plan, counts, verdict);
  }

  private void fallBack(
      RateLimitRequest request,
      Plan.Count plan,
      CounterStore.Reason reason,
      long now,
      Report.Call call,
      Answer answer) {
    call.storeFailed(reason);
    var judged = fallback.judge(plan, now);
    if (judged == null) {
      answer.fail(Status.UNAVAILABLE.withDescription(reason.text()));
      call.unavailable(plan, reason);
      return;
    }
    judge(request, judged.plan(), judged.counts(), now, call, answer);
  }
}
