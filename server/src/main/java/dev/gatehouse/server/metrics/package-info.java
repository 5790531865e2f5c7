/** What a process says of itself to Prometheus; the names are listed in docs/operations.md. */
package dev.gatehouse.server.metrics;
