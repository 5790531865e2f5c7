package dev.gatehouse.server;

import dev.gatehouse.server.tls.CertificateFiles;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the services as Envoy will, until they answer fast: a cold JVM's first answer takes longer than Envoy waits for it.
 *
 * <p>The calls go over real connections, as many as there are loops, to twins of the listeners on the loopback interface, with
 * TLS where the listener has it but no client certificate asked. The twins are gone when this ends.
 */
final class WarmUp implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /** Warm enough: so many calls in a row, each way, were answered so fast. The longest that it may take is bounded. */
  private static final int FAST_CALLS = 300;

  private static final Duration FAST = Duration.ofMillis(5);
  private static final Duration AT_MOST = Duration.ofSeconds(2);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(1);

  private final ServerSettings settings;
  private final EventLoops loops;
  private final EventLoops client = EventLoops.start(1, "gatehouse-warm-up");
  private final List<GrpcListener> twins = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<Way> ways = new ArrayList<>();
  private final Map<String, Status> failures = new TreeMap<>();

  /** One call over one connection. */
  private record Way(
      ManagedChannel channel, MethodDescriptor<byte[], byte[]> method, List<byte[]> requests) {}

  private WarmUp(ServerSettings settings, EventLoops loops) {
    this.settings = settings;
    this.loops = loops;
  }

  /** @return how many calls it made */
  static int run(ServerSettings settings, List<Service> services, EventLoops loops) {
    services.forEach(Service::warmUp);
    try (var warmUp = new WarmUp(settings, loops)) {
      for (var listener : settings.listeners()) {
        warmUp.connect(listener, GrpcListener.named(services, listener.services()));
      }
      return warmUp.callUntilFast();
    }
  }

  private void connect(ServerSettings.Listener listener, List<Service> services) {
    var tls = listener.tls();
    var readiness = new Readiness();
    readiness.become(Readiness.State.READY);
    var twin = GrpcListener.bind(
        new ServerSettings.Listener(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            tls == null ? null : new ServerSettings.Tls(tls.certificate(), tls.key(), null),
            listener.services()),
        settings,
        services,
        loops,
        readiness);
    twins.add(twin);
    for (int i = 0; i < loops.all().size(); i++) {
      var channel = channel(twin.address(), tls);
      channels.add(channel);
      services.forEach(service -> service
          .warmUpCalls()
          .forEach(call -> ways.add(new Way(channel, method(service, call), call.requests()))));
    }
  }

  private ManagedChannel channel(InetSocketAddress address, ServerSettings.@Nullable Tls tls) {
    var builder = NettyChannelBuilder.forAddress(address)
        .eventLoopGroup(client.group())
        .channelType(client.clientChannel())
        .directExecutor();
    return tls == null
        ? builder.usePlaintext().build()
        : builder
            .sslContext(new CertificateFiles(tls.certificate(), tls.key(), null).towardsItself())
            .build();
  }

  private static MethodDescriptor<byte[], byte[]> method(Service service, Service.WarmUpCall call) {
    var method = service.definition().getMethod(call.fullMethodName());
    if (method == null) {
      throw new IllegalArgumentException("a warm-up call of " + service.name() + " is for "
          + call.fullMethodName() + ", which it does not serve");
    }
    return method.getMethodDescriptor().toBuilder(Prebuilt.bytes(), Prebuilt.bytes())
        .build();
  }

  private int callUntilFast() {
    long deadline = System.nanoTime() + AT_MOST.toNanos();
    int calls = 0;
    int fast = 0;
    while (fast < FAST_CALLS * ways.size() && System.nanoTime() < deadline) {
      for (var way : ways) {
        long began = System.nanoTime();
        call(way);
        calls++;
        fast = System.nanoTime() - began < FAST.toNanos() ? fast + 1 : 0;
      }
    }
    failures.forEach(
        (method, status) -> LOG.warn("the warm-up call of {} was answered {}", method, status));
    return calls;
  }

  private void call(Way way) {
    var ended = new CountDownLatch(1);
    var options =
        CallOptions.DEFAULT.withDeadlineAfter(CALL_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS);
    var call = way.channel().newCall(way.method(), options);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            if (!status.isOk()) {
              failures.put(way.method().getFullMethodName(), status);
            }
            ended.countDown();
          }
        },
        new Metadata());
    call.request(Integer.MAX_VALUE);
    way.requests().forEach(call::sendMessage);
    call.halfClose();
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      call.cancel("interrupted", e);
    }
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    twins.forEach(GrpcListener::stopNow);
    client.close();
  }
}
