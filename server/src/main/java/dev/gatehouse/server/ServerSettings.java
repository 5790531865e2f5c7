package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a process serves. Every bound has a default that fits Envoy.
 *
 * @param listeners one gRPC listener each; port 0 takes a free one
 * @param admin where health, metrics and policies are served over HTTP; null serves none
 * @param loops event loops; 0 means one a processor
 * @param maxConcurrentCalls over all connections of a listener; more are answered RESOURCE_EXHAUSTED
 * @param maxMessageBytes above the policies' body limits
 * @param maxConnectionAge after which a connection is asked to go, since Envoy pins HTTP/2 connections and a new replica would get nothing
 * @param drain how long SIGTERM keeps answering while unready, before it stops to take calls
 * @param stopWithin the bound on the whole stop
 */
public record ServerSettings(
    List<Listener> listeners,
    @Nullable InetSocketAddress admin,
    int loops,
    int maxConcurrentCalls,
    int maxMessageBytes,
    int maxHeaderBytes,
    Duration maxConnectionAge,
    Duration maxConnectionAgeGrace,
    Duration drain,
    Duration stopWithin) {

  public static ServerSettings of(List<Listener> listeners, @Nullable InetSocketAddress admin) {
    return new ServerSettings(
        listeners,
        admin,
        0,
        10_000,
        64 << 20,
        64 << 10,
        Duration.ofMinutes(30),
        Duration.ofMinutes(1),
        Duration.ofSeconds(5),
        Duration.ofSeconds(20));
  }

  /** The same with another drain; a process whose callers need no warning (a test, a demo) stops at once with zero. */
  public ServerSettings withDrain(Duration other) {
    return new ServerSettings(
        listeners,
        admin,
        loops,
        maxConcurrentCalls,
        maxMessageBytes,
        maxHeaderBytes,
        maxConnectionAge,
        maxConnectionAgeGrace,
        other,
        stopWithin);
  }

  /** @param services the names of the services that answer there */
  public record Listener(
      InetSocketAddress address, @Nullable Tls tls, List<String> services) {}

  /** @param clientCa null takes any client; else a certificate of this CA is required. Files are read again when they change. */
  public record Tls(Path certificate, Path key, @Nullable Path clientCa) {}
}
