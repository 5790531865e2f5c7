package dev.gatehouse.server;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.InstantSource;

/**
 * What a service gets from the server that runs it.
 *
 * @param clock the wall clock; tests give a fake one
 */
public record ServiceContext(
    EventLoops loops,
    PrometheusRegistry metrics,
    DecisionListener decisions,
    InstantSource clock) {}
