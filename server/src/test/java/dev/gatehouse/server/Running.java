package dev.gatehouse.server;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A server with its loops and clients, as a test needs it; everything ends with it. */
final class Running implements AutoCloseable {
  static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  final EventLoops loops;
  final GatehouseServer server;
  final PrometheusRegistry registry = new PrometheusRegistry();
  private final List<ManagedChannel> channels = new ArrayList<>();

  private Running(ServerSettings settings, List<Service> services, DecisionListener decisions) {
    loops = EventLoops.start(2);
    try {
      server = GatehouseServer.start(
          settings,
          services,
          new ServiceContext(loops, registry, decisions, InstantSource.system()),
          () -> "{\"policies\":[]}");
    } catch (RuntimeException e) {
      loops.close();
      throw e;
    }
  }

  /** One plaintext listener for all services, an admin interface, no drain. */
  static Running of(Service... services) {
    return with(settings -> settings, services);
  }

  static Running with(UnaryOperator<ServerSettings> change, Service... services) {
    return with(change, DecisionListener.NONE, services);
  }

  static Running with(
      UnaryOperator<ServerSettings> change, DecisionListener decisions, Service... services) {
    var names = List.of(services).stream().map(Service::name).toList();
    var settings = ServerSettings.of(List.of(new ServerSettings.Listener(ANY, null, names)), ANY)
        .withDrain(Duration.ZERO);
    return new Running(change.apply(settings), List.of(services), decisions);
  }

  ManagedChannel channel(String service) {
    return channel(server.address(service));
  }

  ManagedChannel channel(InetSocketAddress address) {
    return channel(NettyChannelBuilder.forAddress(address).usePlaintext());
  }

  ManagedChannel channel(NettyChannelBuilder builder) {
    var channel = builder.build();
    channels.add(channel);
    return channel;
  }

  /** Asks a service and waits for its answer. */
  HealthCheckResponse call(String service, String request) {
    return call(channel(service), service, request);
  }

  static HealthCheckResponse call(ManagedChannel channel, String service, String request) {
    return ClientCalls.blockingUnaryCall(
        channel,
        Echo.method(service),
        CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(10)),
        HealthCheckRequest.newBuilder().setService(request).build());
  }

  /** What health says of a name, at the listener of a service. */
  HealthCheckResponse.ServingStatus health(String service, String name) {
    return health(channel(service), name);
  }

  static HealthCheckResponse.ServingStatus health(ManagedChannel channel, String name) {
    return HealthGrpc.newBlockingStub(channel)
        .withDeadlineAfter(Duration.ofSeconds(10))
        .check(HealthCheckRequest.newBuilder().setService(name).build())
        .getStatus();
  }

  HttpResponse<String> admin(String path) throws IOException, InterruptedException {
    return admin(HttpRequest.newBuilder(), path);
  }

  HttpResponse<String> admin(HttpRequest.Builder request, String path)
      throws IOException, InterruptedException {
    return http(server.admin(), request, path);
  }

  static HttpResponse<String> http(
      InetSocketAddress address, HttpRequest.Builder request, String path)
      throws IOException, InterruptedException {
    return HTTP.send(
        request
            .uri(URI.create("http://" + GatehouseServer.printed(address) + path))
            .timeout(Duration.ofSeconds(30))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
    loops.close();
  }
}
