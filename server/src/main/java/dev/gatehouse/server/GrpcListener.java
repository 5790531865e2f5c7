package dev.gatehouse.server;

import dev.gatehouse.server.tls.CertificateFiles;
import dev.gatehouse.server.tls.ReloadingSslContext;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One gRPC listener: its services, their health and reflection, on the event loops and within the limits. */
final class GrpcListener {
  /**
   * What of a connection's messages may wait to be read, of all its calls together. Left alone gRPC raises it to 8 MiB where the
   * server is what is slow; and each piece of 16 KiB that waits may keep the whole of a larger buffer from being used again.
   */
  private static final int WINDOW_BYTES = 512 << 10;

  /** Envoy's {@code connection_keepalive} is in seconds; a client that pings more often than this is sent away. */
  private static final long PERMITTED_KEEPALIVE_SECONDS = 1;

  /** How long a silent connection lives before it is asked for a sign, and how long it has to give one. */
  private static final long KEEPALIVE_SECONDS = 60;

  private static final long KEEPALIVE_TIMEOUT_SECONDS = 20;

  @SuppressWarnings("deprecation") // Netty 4.2 names no other way to say how much is read at once
  private static final ChannelOption<RecvByteBufAllocator> READS = ChannelOption.RCVBUF_ALLOCATOR;

  private static final Duration CERTIFICATES_EVERY = Duration.ofSeconds(5);

  private final List<Service> services;
  private final @Nullable ReloadingSslContext tls;
  private final HealthStatusManager health;
  private final Admission admission;
  private final Server server;
  private @Nullable Boolean told;

  private GrpcListener(
      List<Service> services,
      @Nullable ReloadingSslContext tls,
      HealthStatusManager health,
      Admission admission,
      Server server) {
    this.services = services;
    this.tls = tls;
    this.health = health;
    this.admission = admission;
    this.server = server;
  }

  /**
   * Not yet ready to serve: health says so until {@link #serving}.
   *
   * @throws BindException if the address is taken or is not ours
   * @throws dev.gatehouse.server.tls.TlsException if its certificate cannot be used
   */
  static GrpcListener bind(
      ServerSettings.Listener listener,
      ServerSettings settings,
      List<Service> services,
      EventLoops loops,
      Readiness readiness) {
    var health = new HealthStatusManager();
    var admission = new Admission(readiness, settings.maxConcurrentCalls(), services);
    var builder = NettyServerBuilder.forAddress(listener.address())
        .bossEventLoopGroup(loops.group())
        .workerEventLoopGroup(loops.group())
        .channelType(channel(listener, loops))
        .withChildOption(READS, fairReads())
        .directExecutor()
        .maxConcurrentCallsPerConnection(settings.maxConcurrentCalls())
        .flowControlWindow(WINDOW_BYTES)
        .maxInboundMessageSize(settings.maxMessageBytes())
        .maxInboundMetadataSize(settings.maxHeaderBytes())
        .maxConnectionAge(millisOrNever(settings.maxConnectionAge()), TimeUnit.MILLISECONDS)
        .maxConnectionAgeGrace(settings.maxConnectionAgeGrace().toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveTime(PERMITTED_KEEPALIVE_SECONDS, TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
        .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .addTransportFilter(admission.connectionCounter())
        .addStreamTracerFactory(admission)
        .intercept(admission)
        .addService(health.getHealthService())
        .addService(ProtoReflectionServiceV1.newInstance());
    services.forEach(service -> builder.addService(service.definition()));
    var tls = listener.tls() == null ? null : watch(listener.tls());
    if (tls != null) {
      builder.sslContext(tls);
    }
    var bound = new GrpcListener(services, tls, health, admission, builder.build());
    bound.serving(false);
    try {
      bound.server.start();
    } catch (IOException e) {
      bound.stopNow();
      throw BindException.of(listener.address(), bound.name(), e);
    }
    return bound;
  }

  /** gRPC takes no zero, and what is centuries away for never. */
  private static long millisOrNever(Duration age) {
    return age.isZero() ? Long.MAX_VALUE : Math.max(1, age.toMillis());
  }

  private static Class<? extends ServerChannel> channel(
      ServerSettings.Listener listener, EventLoops loops) {
    if (!(listener.address() instanceof DomainSocketAddress socket)) {
      return loops.serverChannel();
    }
    removeIfLeft(Path.of(socket.path()));
    return loops.domainServerChannel();
  }

  /** A socket that nobody listens on is what a process left that was killed; no other could be bound in its place. */
  private static void removeIfLeft(Path socket) {
    if (!Files.exists(socket)) {
      return;
    }
    try (var _ = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return;
    } catch (IOException _) {
      try {
        if (Files.readAttributes(socket, BasicFileAttributes.class).isOther()) {
          Files.delete(socket);
        }
      } catch (IOException _) {
        return; // binding will say why not
      }
    }
  }

  /**
   * One read of at most 64 KB from a connection, then the loop looks at its others: Netty's 16 reads would be some 600 calls in a
   * row, which the others wait for while one connection has much to say.
   */
  private static RecvByteBufAllocator fairReads() {
    return new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(1);
  }

  private static ReloadingSslContext watch(ServerSettings.Tls files) {
    return ReloadingSslContext.watch(
        new CertificateFiles(
            files.certificate(), files.key(), files.clientCa(), files.clientName()),
        CERTIFICATES_EVERY);
  }

  /** The services of these names, in this order. */
  static List<Service> named(List<Service> services, List<String> names) {
    return names.stream()
        .map(name -> services.stream()
            .filter(service -> service.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("a listener names the service " + name
                + ", but there are: "
                + services.stream().map(Service::name).toList())))
        .toList();
  }

  @Override
  public String toString() {
    return name() + " on " + GatehouseServer.printed(bound()) + (tls == null ? "" : " (TLS)");
  }

  /** The names of its services; its label in metrics. */
  String name() {
    return String.join("+", services.stream().map(Service::name).toList());
  }

  InetSocketAddress address() {
    if (bound() instanceof InetSocketAddress network) {
      return network;
    }
    throw new IllegalStateException(name() + " listens on the socket " + bound());
  }

  private SocketAddress bound() {
    return server.getListenSockets().getFirst();
  }

  boolean serves(String service) {
    return services.stream().anyMatch(s -> s.name().equals(service));
  }

  /** Whether none of its services wants callers to go elsewhere. */
  boolean healthy() {
    return Admin.unhealthy(services) == null;
  }

  /** When its certificate ends, if it has one. */
  Optional<Instant> certificateEnds() {
    return Optional.ofNullable(tls).map(ReloadingSslContext::ends);
  }

  Admission admission() {
    return admission;
  }

  /** What health says: of the listener as a whole, of each service by our name and by its gRPC name. */
  synchronized void serving(boolean serving) {
    if (told != null && told == serving) {
      return;
    }
    told = serving;
    var status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    for (var service : services) {
      health.setStatus(service.name(), status);
      health.setStatus(service.definition().getServiceDescriptor().getName(), status);
    }
  }

  /** Takes no more connections and tells those that it has to go (GOAWAY); the calls in flight end as they will. */
  void stopTaking() {
    server.shutdown();
  }

  /** @return whether all calls ended in that time */
  boolean awaitEnd(long nanos) {
    try {
      return server.awaitTermination(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Cancels what is still in flight. */
  void stopNow() {
    server.shutdownNow();
    if (tls != null) {
      tls.close();
    }
  }
}
