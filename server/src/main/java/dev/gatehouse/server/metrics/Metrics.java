package dev.gatehouse.server.metrics;

import dev.gatehouse.server.Decision;
import dev.gatehouse.server.DecisionListener;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts decisions and how long they took, and when policies were loaded.
 *
 * <p>Policies come and go, so their names are an unbounded label: after {@value #MAX_SERIES} series, new ones are counted with
 * policy and reason {@code other}, and what was counted before keeps its names.
 */
public final class Metrics implements DecisionListener {
  public static final int MAX_SERIES = 1000;

  private static final String OTHER = "other";

  /** Seconds: from a cached answer to Envoy's usual timeouts (0.02, 0.2, 0.5). */
  private static final double[] BOUNDS = {
    0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
    0.5, 1
  };

  private final Map<Series, CounterDataPoint> series = new ConcurrentHashMap<>();
  private final AtomicInteger admitted = new AtomicInteger();
  private final Map<String, DistributionDataPoint> durationOf = new ConcurrentHashMap<>();
  private final Counter decisions;
  private final Histogram durations;
  private final Counter loads;
  private final Gauge lastLoad;

  private record Series(String service, Decision.Outcome outcome, String reason, String policy) {}

  public Metrics(PrometheusRegistry registry) {
    decisions = Counter.builder()
        .name("gatehouse_decisions_total")
        .help("Decisions by service, outcome, reason and policy (namespace/name).")
        .labelNames("service", "outcome", "reason", "policy")
        .withoutExemplars()
        .register(registry);
    durations = Histogram.builder()
        .name("gatehouse_decision_duration_seconds")
        .help("From the first byte of a request at the service to its answer.")
        .labelNames("service")
        .classicOnly()
        .classicUpperBounds(BOUNDS)
        .withoutExemplars()
        .register(registry);
    loads = Counter.builder()
        .name("gatehouse_policy_loads_total")
        .help("Loads of policies; a failed one left the last good policies in force.")
        .labelNames("result")
        .withoutExemplars()
        .register(registry);
    lastLoad = Gauge.builder()
        .name("gatehouse_policy_last_load_timestamp_seconds")
        .help("When policies were last loaded, by how that went.")
        .labelNames("result")
        .withoutExemplars()
        .register(registry);
    loads.initLabelValues("ok");
    loads.initLabelValues("failed");
  }

  @Override
  public void decided(Decision decision) {
    counter(decision).inc();
    duration(decision.service()).observe(decision.nanos() / 1e9);
  }

  /** @param inForce false if the load failed and the policies before it stay */
  public void policiesLoaded(boolean inForce, Instant at) {
    var result = inForce ? "ok" : "failed";
    loads.labelValues(result).inc();
    lastLoad.labelValues(result).set(at.toEpochMilli() / 1e3);
  }

  private CounterDataPoint counter(Decision decision) {
    var wanted =
        new Series(decision.service(), decision.outcome(), decision.reason(), decision.policy());
    var known = series.get(wanted);
    if (known != null) {
      return known;
    }
    if (admitted.get() >= MAX_SERIES || admitted.incrementAndGet() > MAX_SERIES) {
      wanted = new Series(decision.service(), decision.outcome(), OTHER, OTHER);
    }
    return series.computeIfAbsent(wanted, this::dataPoint);
  }

  private CounterDataPoint dataPoint(Series of) {
    return decisions.labelValues(of.service(), of.outcome().name(), of.reason(), of.policy());
  }

  private DistributionDataPoint duration(String service) {
    var known = durationOf.get(service);
    return known != null ? known : durationOf.computeIfAbsent(service, durations::labelValues);
  }
}
