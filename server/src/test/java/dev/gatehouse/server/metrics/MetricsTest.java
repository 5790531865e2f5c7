package dev.gatehouse.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.server.Decision;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Metrics metrics = new Metrics(registry);

  @Test
  void decisions_are_counted_by_service_outcome_reason_and_policy() throws IOException {
    metrics.decided(decision("shop/orders", "expired"));
    metrics.decided(decision("shop/orders", "expired"));
    metrics.decided(decision("shop/admin", "expired"));
    assertThat(page())
        .contains(
            "gatehouse_decisions_total{outcome=\"DENIED\",policy=\"shop/orders\",reason=\"expired\",service=\"ext-authz\"} 2.0")
        .contains(
            "gatehouse_decisions_total{outcome=\"DENIED\",policy=\"shop/admin\",reason=\"expired\",service=\"ext-authz\"} 1.0");
  }

  @Test
  void durations_fall_into_buckets_that_tell_envoys_timeouts_apart() throws IOException {
    metrics.decided(decision("shop/orders", "expired"));
    assertThat(page())
        .contains(
            "gatehouse_decision_duration_seconds_bucket{service=\"ext-authz\",le=\"2.5E-4\"} 0")
        .contains(
            "gatehouse_decision_duration_seconds_bucket{service=\"ext-authz\",le=\"5.0E-4\"} 1")
        .contains("gatehouse_decision_duration_seconds_bucket{service=\"ext-authz\",le=\"0.02\"} 1")
        .contains("gatehouse_decision_duration_seconds_count{service=\"ext-authz\"} 1");
  }

  @Test
  void policies_without_end_make_no_series_without_end_and_no_decision_is_lost() {
    for (int i = 0; i < 3 * Metrics.MAX_SERIES; i++) {
      metrics.decided(decision("shop/" + i, "expired"));
    }
    metrics.decided(decision("shop/0", "expired"));
    var counted = registry.scrape().stream()
        .filter(CounterSnapshot.class::isInstance)
        .map(CounterSnapshot.class::cast)
        .filter(counter -> counter.getMetadata().getName().equals("gatehouse_decisions"))
        .findFirst()
        .orElseThrow()
        .getDataPoints();
    assertThat(counted).hasSize(Metrics.MAX_SERIES + 1);
    assertThat(counted.stream()
            .mapToDouble(CounterSnapshot.CounterDataPointSnapshot::getValue)
            .sum())
        .isEqualTo(3.0 * Metrics.MAX_SERIES + 1);
    assertThat(counted)
        .filteredOn(point -> "other".equals(point.getLabels().get("policy")))
        .singleElement()
        .satisfies(point -> assertThat(point.getValue()).isEqualTo(2.0 * Metrics.MAX_SERIES));
    assertThat(counted)
        .filteredOn(point -> "shop/0".equals(point.getLabels().get("policy")))
        .singleElement()
        .satisfies(point -> assertThat(point.getValue()).isEqualTo(2));
  }

  @Test
  void loads_of_policies_are_counted_and_dated_by_how_they_went() throws IOException {
    metrics.policiesLoaded(true, Instant.ofEpochSecond(1000));
    metrics.policiesLoaded(false, Instant.ofEpochSecond(2000));
    assertThat(page())
        .contains("gatehouse_policy_loads_total{result=\"ok\"} 1.0")
        .contains("gatehouse_policy_loads_total{result=\"failed\"} 1.0")
        .contains("gatehouse_policy_last_load_timestamp_seconds{result=\"ok\"} 1000.0")
        .contains("gatehouse_policy_last_load_timestamp_seconds{result=\"failed\"} 2000.0");
  }

  @Test
  void the_jvm_and_the_process_are_described_under_prometheus_own_names() throws IOException {
    JvmMetrics.register(registry);
    System.gc();
    var page = page();
    assertThat(page)
        .containsPattern("jvm_memory_used_bytes\\{area=\"heap\"} [1-9]")
        .containsPattern("jvm_memory_used_bytes\\{area=\"nonheap\"} [1-9]")
        .containsPattern("jvm_memory_committed_bytes\\{area=\"heap\"} [1-9]")
        .containsPattern("jvm_memory_max_bytes\\{area=\"heap\"} [1-9]")
        .contains("jvm_buffer_pool_used_bytes{pool=\"direct\"} ")
        .contains("jvm_buffer_pool_used_bytes{pool=\"netty\"} ")
        .containsPattern("jvm_gc_collection_seconds_count\\{gc=\"[^\"]+\"} [1-9]")
        .containsPattern("jvm_threads_current [1-9]")
        .containsPattern("process_cpu_seconds_total [0-9.E-]*[1-9]")
        .containsPattern("process_start_time_seconds [1-9]");
    if (java.nio.file.Files.exists(java.nio.file.Path.of("/proc/self/status"))) {
      assertThat(page)
          .containsPattern("process_resident_memory_bytes [1-9]")
          .containsPattern("process_open_fds [1-9]")
          .containsPattern("process_max_fds [1-9]");
    }
  }

  private static Decision decision(String policy, String reason) {
    return new Decision(
        "ext-authz", "id", "GET", "/", "", policy, Decision.Outcome.DENIED, reason, "", 300_000);
  }

  private String page() throws IOException {
    var page = new ByteArrayOutputStream();
    ExpositionFormats.init().getPrometheusTextFormatWriter().write(page, registry.scrape());
    return page.toString(java.nio.charset.StandardCharsets.UTF_8);
  }
}
