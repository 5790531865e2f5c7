package dev.gatehouse.testkit;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A control plane of a test: an ADS server (state of the world) on a free port of 127.0.0.1 that says what it is told to say, and
 * remembers everything that it was asked. As real ones do it answers a stream's first request with the snapshot that it has, and
 * sends a new snapshot to every stream that is there. Thread-safe.
 */
public final class AdsServer implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Context.Key<Metadata> HEADERS = Context.key("headers");

  private final @Nullable SslContext tls;
  private final List<DiscoveryRequest> requests = new ArrayList<>();
  private final List<Stream> streams = new ArrayList<>();
  private @Nullable Snapshot snapshot;
  private @Nullable Server server;
  private int port;
  private int opened;
  private int sent;
  private Metadata lastHeaders = new Metadata();
  private boolean closesAtOnce;
  private boolean answersEverything;

  private record Snapshot(String version, List<Any> resources) {}

  private AdsServer(@Nullable SslContext tls) {
    this.tls = tls;
    start();
  }

  public static AdsServer plaintext() {
    return new AdsServer(null);
  }

  /**
   * TLS 1.3, as Envoy Gateway serves it.
   *
   * @param certificate PEM; the chain
   * @param key PEM, PKCS#8
   * @param clientCa PEM; every client must show a certificate that one of these signed; null asks for none
   */
  public static AdsServer tls(Path certificate, Path key, @Nullable Path clientCa) {
    try {
      var builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
          .protocols("TLSv1.3")
          .clientAuth(clientCa == null ? ClientAuth.NONE : ClientAuth.REQUIRE);
      if (clientCa != null) {
        builder.trustManager(clientCa.toFile());
      }
      return new AdsServer(GrpcSslContexts.configure(builder, SslProvider.JDK).build());
    } catch (SSLException e) {
      throw new IllegalArgumentException("these certificates cannot be used", e);
    }
  }

  public int port() {
    return port;
  }

  /** Host and port, as {@code CONFIG_GRPC_XDS_SERVER_URL} takes them. */
  public String address() {
    return "127.0.0.1:" + port;
  }

  /** Makes this the snapshot: all resources, no others. */
  public void serve(String version, List<? extends Message> resources) {
    serveAny(version, resources.stream().<Any>map(Any::pack).toList());
  }

  /** As {@link #serve}, with resources whose bytes or type URL may be wrong. */
  public synchronized void serveAny(String version, List<Any> resources) {
    var next = new Snapshot(version, List.copyOf(resources));
    snapshot = next;
    streams.stream()
        .filter(stream -> !stream.typeUrl.isEmpty())
        .forEach(stream -> send(stream, next));
  }

  /** From now on every request, an ACK and a NACK too, is answered at once with the snapshot as it is: what makes a client loop. */
  public synchronized void answerEverything() {
    answersEverything = true;
  }

  /** From now on a stream ends as soon as it began, with UNAVAILABLE; or no longer. */
  public synchronized void closeAtOnce(boolean closes) {
    closesAtOnce = closes;
  }

  /** Ends the streams that are there. */
  public synchronized void closeStreams(Status status) {
    List.copyOf(streams).forEach(stream -> stream.end(status));
  }

  /** Goes away: streams break off, and nobody can connect. */
  public void stop() {
    var running = forget();
    if (running == null) {
      return;
    }
    try {
      running.shutdownNow().awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized @Nullable Server forget() {
    var running = server;
    server = null;
    streams.clear();
    return running;
  }

  /** Comes back where it was, as {@link #stop} left it. */
  public synchronized void start() {
    var builder = NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .directExecutor()
        .intercept(new KeepsHeaders())
        .addService(new Service());
    if (tls != null) {
      builder.sslContext(tls);
    }
    try {
      server = builder.build().start();
      port = server.getPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many streams were opened so far. */
  public synchronized int opened() {
    return opened;
  }

  /** How many responses were sent so far. */
  public synchronized int sent() {
    return sent;
  }

  /** Every request so far, in the order in which they came. */
  public synchronized List<DiscoveryRequest> requests() {
    return List.copyOf(requests);
  }

  /** What came with the last stream. */
  public synchronized Metadata headers() {
    return lastHeaders;
  }

  /** Waits for the acknowledgement of a version. */
  public DiscoveryRequest awaitAck(String version) {
    return await(
        "an ACK of version " + version,
        request -> !request.hasErrorDetail()
            && !request.getResponseNonce().isEmpty()
            && request.getVersionInfo().equals(version));
  }

  /** Waits for a refusal that says this. */
  public DiscoveryRequest awaitNack(String says) {
    return await(
        "a NACK that says \"" + says + "\"",
        request ->
            request.hasErrorDetail() && request.getErrorDetail().getMessage().contains(says));
  }

  /** Waits until so many streams were opened. */
  public synchronized void awaitOpened(int streams) {
    await("stream number " + streams, () -> opened >= streams);
  }

  private synchronized DiscoveryRequest await(String what, Predicate<DiscoveryRequest> wanted) {
    await(what, () -> requests.stream().anyMatch(wanted));
    return requests.stream().filter(wanted).findFirst().orElseThrow();
  }

  private void await(String what, BooleanSupplier there) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!there.getAsBoolean()) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new AssertionError(
            "no " + what + " within " + PATIENCE + "; what came:\n" + requests);
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what, e);
      }
    }
  }

  private void send(Stream stream, Snapshot snapshot) {
    sent++;
    stream.responses.onNext(DiscoveryResponse.newBuilder()
        .setVersionInfo(snapshot.version)
        .setTypeUrl(stream.typeUrl)
        .setNonce(String.valueOf(sent))
        .addAllResources(snapshot.resources)
        .build());
  }

  @Override
  public void close() {
    stop();
  }

  private final class Service extends AggregatedDiscoveryServiceImplBase {
    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(
        StreamObserver<DiscoveryResponse> responses) {
      synchronized (AdsServer.this) {
        var stream = new Stream(responses);
        opened++;
        var headers = HEADERS.get();
        lastHeaders = headers == null ? new Metadata() : headers;
        AdsServer.this.notifyAll();
        if (closesAtOnce) {
          responses.onError(Status.UNAVAILABLE.withDescription("closed at once").asException());
        } else {
          streams.add(stream);
        }
        return stream;
      }
    }
  }

  private final class Stream implements StreamObserver<DiscoveryRequest> {
    private final StreamObserver<DiscoveryResponse> responses;
    private String typeUrl = "";

    Stream(StreamObserver<DiscoveryResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(DiscoveryRequest request) {
      synchronized (AdsServer.this) {
        requests.add(request);
        AdsServer.this.notifyAll();
        boolean first = typeUrl.isEmpty();
        typeUrl = request.getTypeUrl();
        var current = snapshot;
        if (current != null && (first || answersEverything) && streams.contains(this)) {
          send(this, current);
        }
      }
    }

    void end(Status status) {
      streams.remove(this);
      if (status.isOk()) {
        responses.onCompleted();
      } else {
        responses.onError(status.asException());
      }
    }

    @Override
    public void onError(Throwable failure) {
      synchronized (AdsServer.this) {
        streams.remove(this);
      }
    }

    @Override
    public void onCompleted() {
      synchronized (AdsServer.this) {
        if (streams.contains(this)) {
          end(Status.OK);
        }
      }
    }
  }

  private static final class KeepsHeaders implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      return Contexts.interceptCall(
          Context.current().withValue(HEADERS, headers), call, headers, next);
    }
  }
}
