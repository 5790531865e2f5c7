package dev.gatehouse.server;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;

/** What a server says of its listeners: read when scraped, from what they count anyway. */
final class ServerMetrics implements AutoCloseable {
  private final PrometheusRegistry registry;
  private final List<Collector> collectors;

  ServerMetrics(PrometheusRegistry registry, Readiness readiness, List<GrpcListener> listeners) {
    this.registry = registry;
    collectors = List.of(
        GaugeWithCallback.builder()
            .name("gatehouse_ready")
            .help("1 while the process is ready, 0 before it is and while it drains.")
            .callback(gauge -> gauge.call(readiness.ready() ? 1 : 0))
            .build(),
        GaugeWithCallback.builder()
            .name("gatehouse_grpc_connections")
            .help("Open gRPC connections.")
            .labelNames("listener")
            .callback(gauge -> listeners.forEach(
                listener -> gauge.call(listener.admission().connections(), listener.name())))
            .build(),
        GaugeWithCallback.builder()
            .name("gatehouse_grpc_calls_in_flight")
            .help("gRPC calls and streams that are not answered to the end.")
            .labelNames("listener")
            .callback(gauge -> listeners.forEach(
                listener -> gauge.call(listener.admission().calls(), listener.name())))
            .build(),
        CounterWithCallback.builder()
            .name("gatehouse_grpc_calls_refused_total")
            .help(
                "gRPC calls that were refused because of the limit on concurrent calls or before readiness.")
            .labelNames("listener")
            .callback(counter -> listeners.forEach(
                listener -> counter.call((double) listener.admission().refused(), listener.name())))
            .build(),
        GaugeWithCallback.builder()
            .name("gatehouse_tls_certificate_expiry_timestamp_seconds")
            .help("When the certificate of a TLS listener ends.")
            .labelNames("listener")
            .callback(gauge -> listeners.forEach(listener -> listener
                .certificateEnds()
                .ifPresent(end -> gauge.call((double) end.getEpochSecond(), listener.name()))))
            .build());
    collectors.forEach(registry::register);
  }

  @Override
  public void close() {
    collectors.forEach(registry::unregister);
  }
}
