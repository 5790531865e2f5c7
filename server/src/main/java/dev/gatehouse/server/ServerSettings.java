package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a process serves. Every bound has a default that fits Envoy.
 *
 * @param listeners one gRPC listener each; port 0 takes a free one
 * @param admin where health, metrics and policies are served over HTTP; null serves none
 * @param loops event loops; 0 means one a processor
 * @param maxConcurrentCalls over all connections of a listener; more are answered RESOURCE_EXHAUSTED
 * @param maxMessageBytes above the policies' body limits
 * @param maxConnectionAge after which a connection is asked to go, since Envoy pins HTTP/2 connections and a new replica would get nothing; zero is never
 * @param drain how long SIGTERM keeps answering while unready, before it stops to take calls
 * @param stopWithin the bound on the whole stop
 * @param http more HTTP listeners beside the admin interface, which show some of its pages
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
    Duration stopWithin,
    List<Http> http) {

  /** Without more HTTP listeners. */
  public ServerSettings(
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
    this(
        listeners,
        admin,
        loops,
        maxConcurrentCalls,
        maxMessageBytes,
        maxHeaderBytes,
        maxConnectionAge,
        maxConnectionAgeGrace,
        drain,
        stopWithin,
        List.of());
  }

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
        stopWithin,
        http);
  }

  /** The same with these HTTP listeners beside the admin interface. */
  public ServerSettings withHttp(List<Http> more) {
    return new ServerSettings(
        listeners,
        admin,
        loops,
        maxConcurrentCalls,
        maxMessageBytes,
        maxHeaderBytes,
        maxConnectionAge,
        maxConnectionAgeGrace,
        drain,
        stopWithin,
        List.copyOf(more));
  }

  /**
   * @param address of the network, or a {@code DomainSocketAddress}, which needs epoll
   * @param services the names of the services that answer there
   */
  public record Listener(SocketAddress address, @Nullable Tls tls, List<String> services) {}

  /**
   * An HTTP listener.
   *
   * @param name what errors call it
   * @param pages the path there → the admin interface's path of the same page; {@code /} lists them, unless it is one
   */
  public record Http(String name, InetSocketAddress address, Map<String, String> pages) {}

  /**
   * Files are read again when they change.
   *
   * @param clientCa null takes any client; else a certificate of this CA is required
   * @param clientName null takes any such certificate; else it must be for this DNS name, with {@code *} for one label at most
   */
  public record Tls(
      Path certificate,
      Path key,
      @Nullable Path clientCa,
      @Nullable String clientName) {
    public Tls(Path certificate, Path key, @Nullable Path clientCa) {
      this(certificate, key, clientCa, null);
    }
  }
}
