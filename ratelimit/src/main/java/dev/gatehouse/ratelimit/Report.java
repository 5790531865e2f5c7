package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.grpc.Metadata;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tells metrics and the {@link DecisionListener} what came of each call. Makes no {@link Decision} that nobody hears. */
final class Report {
  private static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of(Bindings.REQUEST_ID, Metadata.ASCII_STRING_MARSHALLER);

  private final DecisionListener listener;
  private final RateLimitStats stats;
  private final Counter unknownDescriptors;
  private final Map<CounterStore.Reason, CounterDataPoint> storeFailures =
      new EnumMap<>(CounterStore.Reason.class);

  Report(DecisionListener listener, PrometheusRegistry metrics, RateLimitStats stats) {
    this.listener = listener;
    this.stats = stats;
    this.unknownDescriptors = Counter.builder()
        .name("gatehouse_ratelimit_unknown_descriptors_total")
        .help(
            "Descriptors that no policy has a limit for: they pass. Envoy and the policies may be of different generations for a moment.")
        .register(metrics);
    var failures = Counter.builder()
        .name("gatehouse_ratelimit_store_failures_total")
        .help(
            "Calls that the counter store could not count for; each limit says what becomes of them.")
        .labelNames("reason")
        .register(metrics);
    for (var reason : CounterStore.Reason.values()) {
      storeFailures.put(reason, failures.labelValues(label(reason)));
    }
  }

  private static String label(CounterStore.Reason reason) {
    return reason.name().toLowerCase(Locale.ROOT);
  }

  Call begin(RateLimitRequest request, Metadata metadata) {
    return new Call(
        request, listener.listens() ? metadata.get(REQUEST_ID) : null, System.nanoTime());
  }

  /** One call, from its request to its answer. */
  final class Call {
    private final RateLimitRequest request;
    private final @Nullable String requestId;
    private final long began;

    private Call(RateLimitRequest request, @Nullable String requestId, long began) {
      this.request = request;
      this.requestId = requestId;
      this.began = began;
    }

    void decided(Plan.Count plan, Counts counts, Verdict verdict) {
      stats.answered(request, began);
      stats.counted(request, plan, counts, verdict);
      int unknown = plan.unknown();
      if (unknown > 0) {
        unknownDescriptors.inc(unknown);
      }
      if (!listener.listens()) {
        return;
      }
      var status = verdict.deciding();
      if (status == null || status.limit() == null) {
        tell(Outcome.ALLOWED, "", unknown > 0 ? "unknown descriptor" : "no limit", "");
        return;
      }
      var limit = status.limit();
      var detail = status.remaining() + " of " + limit.requests() + " left, resets in "
          + status.resetSeconds() + "s";
      if (verdict.over()) {
        tell(Outcome.OVER_LIMIT, limit.origin(), "over limit", detail);
      } else if (status.exceeded()) {
        tell(Outcome.ALLOWED, limit.origin(), "over limit in shadow mode", detail);
      } else {
        tell(Outcome.ALLOWED, limit.origin(), "within limit", detail);
      }
    }

    /** The limits themselves say what becomes of the request, and one of the others follows. */
    void storeFailed(CounterStore.Reason reason) {
      var failures = storeFailures.get(reason);
      if (failures != null) {
        failures.inc();
      }
      stats.storeFailed(request);
    }

    void unavailable(Plan.Count plan, CounterStore.Reason reason) {
      stats.answered(request, began);
      stats.notCounted(request, plan);
      tell(Outcome.UNAVAILABLE, "", "counter store", reason.text());
    }

    void refused(String origin) {
      stats.answered(request, began);
      stats.refused(request);
      tell(Outcome.UNAVAILABLE, origin, "policy rejected", "");
    }

    void invalid() {
      stats.answered(request, began);
      stats.refused(request);
      tell(Outcome.UNAVAILABLE, "", "invalid request", "");
    }

    private void tell(Outcome outcome, String policy, String reason, String detail) {
      if (listener.listens()) {
        listener.decided(new Decision(
            "ratelimit",
            requestId == null ? "" : requestId,
            "",
            "",
            "",
            policy,
            outcome,
            reason,
            detail,
            System.nanoTime() - began));
      }
    }
  }
}
