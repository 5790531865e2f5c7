package dev.gatehouse.server;

import static dev.gatehouse.server.Settings.admin;
import static dev.gatehouse.server.Settings.limits;
import static dev.gatehouse.server.Settings.listener;
import static dev.gatehouse.server.Settings.listeners;
import static dev.gatehouse.server.Settings.maxConnectionAge;
import static dev.gatehouse.server.Settings.stopWithin;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.server.tls.TestCertificates;
import dev.gatehouse.testkit.LoopGuard;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslContext;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpRequest;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GatehouseServerTest {
  @Test
  void answers_calls_of_each_service_where_it_listens() {
    try (var running = Running.with(
        settings -> listeners(settings, listener("a"), listener("b")),
        Echo.named("a"),
        Echo.named("b"))) {
      assertThat(running.server.address("a")).isNotEqualTo(running.server.address("b"));
      assertThat(running.call("a", "").getStatus()).isEqualTo(SERVING);
      assertThat(running.call("b", "").getStatus()).isEqualTo(SERVING);
      var a = running.channel("a");
      assertThatThrownBy(() -> Running.call(a, "b", "")).hasMessageContaining("UNIMPLEMENTED");
    }
  }

  @Test
  void
      health_knows_the_services_of_a_listener_by_both_their_names_and_the_whole_by_the_empty_one() {
    try (var running = Running.with(
        settings -> listeners(settings, listener("a"), listener("b")),
        Echo.named("a"),
        Echo.named("b"))) {
      assertThat(running.health("a", "")).isEqualTo(SERVING);
      assertThat(running.health("a", "a")).isEqualTo(SERVING);
      assertThat(running.health("a", "test.a")).isEqualTo(SERVING);
      assertThatThrownBy(() -> running.health("a", "b")).hasMessageContaining("NOT_FOUND");
    }
  }

  @Test
  void reflection_lists_the_services_and_gives_their_schema_although_answers_are_prebuilt()
      throws Exception {
    try (var running = Running.of(new Reflector(), Echo.named("a"))) {
      var answers = new ConcurrentLinkedQueue<ServerReflectionResponse>();
      var ended = new CountDownLatch(1);
      var ask = ServerReflectionGrpc.newStub(running.channel("a"))
          .serverReflectionInfo(collecting(answers, ended));
      ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
      ask.onNext(ServerReflectionRequest.newBuilder()
          .setFileContainingSymbol("grpc.reflection.v1alpha.ServerReflection")
          .build());
      ask.onCompleted();
      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(answers.remove().getListServicesResponse().getServiceList())
          .extracting(io.grpc.reflection.v1.ServiceResponse::getName)
          .contains("grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health");
      assertThat(answers.remove().getFileDescriptorResponse().getFileDescriptorProtoCount())
          .isPositive();
    }
  }

  @Test
  void is_ready_only_when_warm_and_says_so_everywhere() {
    var port = freePort();
    var admin = freePort();
    var seen = new AtomicReference<List<Object>>();
    var service = new Delegating(Echo.named("a")) {
      @Override
      public void warmUp() {
        var channel = NettyChannelBuilder.forAddress(port).usePlaintext().build();
        try {
          var call = Status.fromThrowable(catchThrowable(() -> Running.call(channel, "a", "real")));
          seen.set(List.of(
              call.getCode(),
              Running.health(channel, "a"),
              Running.http(admin, HttpRequest.newBuilder(), "/readyz").statusCode(),
              Running.http(admin, HttpRequest.newBuilder(), "/healthz").statusCode()));
        } catch (IOException | InterruptedException e) {
          throw new IllegalStateException(e);
        } finally {
          channel.shutdownNow();
        }
      }
    };
    try (var running = Running.with(
        settings -> listeners(
            admin(settings, admin), new ServerSettings.Listener(port, null, List.of("a"))),
        service)) {
      assertThat(seen.get()).containsExactly(Status.Code.UNAVAILABLE, NOT_SERVING, 503, 200);
      assertThat(running.server.ready()).isTrue();
      assertThat(running.call("a", "").getStatus()).isEqualTo(SERVING);
    }
  }

  @Test
  void warms_up_on_every_loop_and_no_listener_hears_of_it() {
    var decisions = new ConcurrentLinkedQueue<Decision>();
    var hears = DecisionListeners.of(List.of(decisions::add));
    Set<EventLoop> warmed = ConcurrentHashMap.newKeySet();
    var service = new Echo("a", (request, answer) -> {
      if (request.equals("warm-up")) {
        warmed.add(EventLoops.current());
      }
      hears.decided(decision(request));
      answer.onNext(Echo.ANSWER);
      answer.onCompleted();
    });
    try (var running = Running.with(settings -> settings, hears, service)) {
      assertThat(warmed).containsExactlyInAnyOrderElementsOf(running.loops.all());
      running.call("a", "real");
      assertThat(decisions).extracting(Decision::requestId).containsExactly("real");
    }
  }

  @Test
  void more_calls_at_once_than_allowed_are_refused_over_all_connections_while_health_is_answered() {
    var held = new Held();
    try (var running =
        Running.with(settings -> limits(settings, 2, 64 << 10, 1 << 20), held.service("a"))) {
      var first = ask(running, "a", "hold");
      var second = ask(running, "a", "hold");
      await().until(() -> held.waiting() == 2);
      assertThatThrownBy(() -> running.call("a", ""))
          .hasMessageContaining("RESOURCE_EXHAUSTED")
          .hasMessageContaining("more than 2 calls at once");
      assertThat(running.health("a", "")).isEqualTo(SERVING);
      held.release();
      assertThat(first.get()).isEqualTo(Status.Code.OK);
      assertThat(second.get()).isEqualTo(Status.Code.OK);
      await().untilAsserted(() -> assertThat(running.call("a", "").getStatus()).isEqualTo(SERVING));
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void a_service_refuses_calls_that_are_too_many_in_its_own_words() {
    var held = new Held();
    var denial = HealthCheckResponse.newBuilder().setStatus(NOT_SERVING).build();
    var service = new Delegating(held.service("a")) {
      @Override
      public byte[] refusal() {
        return denial.toByteArray();
      }
    };
    try (var running = Running.with(settings -> limits(settings, 1, 64 << 10, 1 << 20), service)) {
      var first = ask(running, "a", "hold");
      await().until(() -> held.waiting() == 1);
      assertThat(running.call("a", "")).isEqualTo(denial);
      held.release();
      assertThat(first).succeedsWithin(Duration.ofSeconds(10));
    }
  }

  @Test
  void messages_and_headers_above_their_limits_are_refused() {
    try (var running =
        Running.with(settings -> limits(settings, 10, 2 << 10, 8 << 10), Echo.named("a"))) {
      assertThat(running.call("a", "x".repeat(8000)).getStatus()).isEqualTo(SERVING);
      assertThatThrownBy(() -> running.call("a", "x".repeat(9000)))
          .hasMessageContaining("RESOURCE_EXHAUSTED")
          .hasMessageContaining("8192");

      var headers = new Metadata();
      headers.put(Metadata.Key.of("large", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(3000));
      var stub = HealthGrpc.newBlockingStub(running.channel("a"))
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      assertThatThrownBy(() -> stub.check(HealthCheckRequest.getDefaultInstance()))
          .isInstanceOf(StatusRuntimeException.class);
    }
  }

  @Test
  void an_old_connection_is_asked_to_go_and_no_call_is_lost() {
    try (var running = Running.with(
        settings -> maxConnectionAge(settings, Duration.ofSeconds(1)), Echo.named("a"))) {
      var channel = running.channel("a");
      Running.call(channel, "a", "");
      await().until(() -> channel.getState(false) == ConnectivityState.IDLE);
      assertThat(Running.call(channel, "a", "").getStatus()).isEqualTo(SERVING);
    }
  }

  @Test
  void an_age_of_zero_is_never() {
    try (var running =
        Running.with(settings -> maxConnectionAge(settings, Duration.ZERO), Echo.named("a"))) {
      assertThat(running.call("a", "").getStatus()).isEqualTo(SERVING);
    }
  }

  @Test
  void a_listener_with_a_client_ca_is_warm_when_ready_and_answers_only_who_has_a_certificate(
      @TempDir Path dir) throws Exception {
    var ca = new TestCertificates("ca");
    var identity = TestCertificates.write(dir, ca.issue("server"));
    var tls = new ServerSettings.Tls(
        identity.certificate(), identity.key(), ca.writeCa(dir.resolve("ca.crt")));
    var warmed = new AtomicInteger();
    var service = new Echo("a", (request, answer) -> {
      warmed.addAndGet(request.equals("warm-up") ? 1 : 0);
      Held.answer(answer);
    });
    try (var running = Running.with(
        settings ->
            listeners(settings, new ServerSettings.Listener(Running.ANY, tls, List.of("a"))),
        service)) {
      assertThat(warmed).hasPositiveValue();
      var envoy = ca.issue("envoy");
      var trust = GrpcSslContexts.forClient().trustManager(ca.ca().getCertificate());
      assertThatThrownBy(() -> Running.call(tls(running, trust.build()), "a", ""))
          .hasMessageContaining("UNAVAILABLE");
      trust.keyManager(envoy.getKeyPair().getPrivate(), envoy.getCertificatePath());
      assertThat(Running.call(tls(running, trust.build()), "a", "").getStatus()).isEqualTo(SERVING);
      assertThat(running.admin("/metrics").body())
          .contains("gatehouse_tls_certificate_expiry_timestamp_seconds{listener=\"a\"} ");
    }
  }

  @Test
  void a_listener_that_wants_a_clients_name_refuses_another_of_the_same_ca(@TempDir Path dir)
      throws Exception {
    var ca = new TestCertificates("ca");
    var identity = TestCertificates.write(dir, ca.issue("server"));
    var tls = new ServerSettings.Tls(
        identity.certificate(),
        identity.key(),
        ca.writeCa(dir.resolve("ca.crt")),
        "envoy.example.com");
    try (var running = Running.with(
        settings ->
            listeners(settings, new ServerSettings.Listener(Running.ANY, tls, List.of("a"))),
        Echo.named("a"))) {
      for (var right : List.of("envoy.example.com", "ENVOY.example.com")) {
        assertThat(as(running, ca, ca.issueFor(right)).getStatus()).isEqualTo(SERVING);
      }
      for (var wrong : List.of("other.example.com", "example.com", "a.envoy.example.com")) {
        var client = ca.issueFor(wrong);
        assertThatThrownBy(() -> as(running, ca, client)).hasMessageContaining("UNAVAILABLE");
      }
      var nameless = ca.issue("envoy.example.com");
      assertThatThrownBy(() -> as(running, ca, nameless)).hasMessageContaining("UNAVAILABLE");
    }
  }

  private static HealthCheckResponse as(Running running, TestCertificates ca, X509Bundle client)
      throws Exception {
    var context = GrpcSslContexts.forClient()
        .trustManager(ca.ca().getCertificate())
        .keyManager(client.getKeyPair().getPrivate(), client.getCertificatePath())
        .build();
    return Running.call(tls(running, context), "a", "");
  }

  @Test
  void a_listener_can_be_a_socket_of_the_file_system_and_one_that_was_left_there_is_no_hindrance(
      @TempDir Path dir) throws Exception {
    var socket = dir.resolve("grpc.sock");
    try (var left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();
    var listener =
        new ServerSettings.Listener(new DomainSocketAddress(socket.toFile()), null, List.of("a"));
    try (var running = Running.with(settings -> listeners(settings, listener), Echo.named("a"))) {
      var channel =
          running.channel(NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
              .eventLoopGroup(running.loops.group())
              .channelType(EpollDomainSocketChannel.class)
              .usePlaintext());
      assertThat(Running.call(channel, "a", "").getStatus()).isEqualTo(SERVING);
    }
  }

  private static ManagedChannel tls(Running running, SslContext tls) {
    return running.channel(
        NettyChannelBuilder.forAddress(running.server.address("a")).sslContext(tls));
  }

  @Test
  void connections_and_calls_of_a_listener_are_in_the_metrics() throws Exception {
    var held = new Held();
    try (var running =
        Running.with(settings -> limits(settings, 1, 64 << 10, 1 << 20), held.service("a"))) {
      assertThat(running.admin("/metrics").body())
          .contains("gatehouse_ready 1.0")
          .contains("gatehouse_grpc_connections{listener=\"a\"} 0.0")
          .contains("gatehouse_grpc_calls_in_flight{listener=\"a\"} 0.0");
      var call = ask(running, "a", "hold");
      await().until(() -> held.waiting() == 1);
      assertThatThrownBy(() -> running.call("a", "")).hasMessageContaining("RESOURCE_EXHAUSTED");
      assertThat(running.admin("/metrics").body())
          .contains("gatehouse_grpc_connections{listener=\"a\"} 2.0")
          .contains("gatehouse_grpc_calls_in_flight{listener=\"a\"} 1.0")
          .contains("gatehouse_grpc_calls_refused_total{listener=\"a\"} 1.0");
      held.release();
      assertThat(call.get()).isEqualTo(Status.Code.OK);
      await()
          .untilAsserted(() -> assertThat(running.admin("/metrics").body())
              .contains("gatehouse_grpc_calls_in_flight{listener=\"a\"} 0.0"));
    }
  }

  @Test
  void a_taken_port_is_named_with_whose_it_was_to_be() throws IOException {
    try (var taken = new ServerSocket(0, 1, Running.ANY.getAddress())) {
      var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), taken.getLocalPort());
      assertThatThrownBy(() -> Running.with(
              settings -> listeners(
                  settings, new ServerSettings.Listener(address, null, List.of("a", "b"))),
              Echo.named("a"),
              Echo.named("b")))
          .isInstanceOfSatisfying(
              BindException.class, e -> assertThat(e.listener()).isEqualTo("a+b"))
          .hasMessageContaining("cannot listen on " + GatehouseServer.printed(address) + " (a+b): ")
          .hasMessageContaining("Address already in use");
      assertThatThrownBy(() -> Running.with(settings -> admin(settings, address), Echo.named("a")))
          .isInstanceOfSatisfying(
              BindException.class, e -> assertThat(e.listener()).isEqualTo("admin"))
          .hasMessageContaining(
              "cannot listen on " + GatehouseServer.printed(address) + " (admin): ");
    }
  }

  @Test
  void a_listener_for_a_service_that_is_not_there_is_refused() {
    assertThatThrownBy(
            () -> Running.with(settings -> listeners(settings, listener("b")), Echo.named("a")))
        .hasMessageContaining("names the service b, but there are: [a]");
  }

  @Test
  void draining_says_unready_first_but_keeps_answering_and_then_stops() throws Exception {
    try (var running =
        Running.with(settings -> settings.withDrain(Duration.ofMinutes(1)), Echo.named("a"))) {
      var channel = running.channel("a");
      var admin = running.server.admin();
      assertThat(running.admin("/readyz").statusCode()).isEqualTo(200);

      var stop = Thread.ofPlatform().start(running.server::close);
      await().untilAsserted(() -> assertThat(Running.health(channel, "a")).isEqualTo(NOT_SERVING));
      assertThat(running.server.ready()).isFalse();
      assertThat(running.admin("/readyz").statusCode()).isEqualTo(503);
      assertThat(running.admin("/readyz").body()).contains("draining");
      assertThat(running.admin("/healthz").statusCode()).isEqualTo(200);
      assertThat(running.call("a", "from a new connection").getStatus()).isEqualTo(SERVING);
      assertThat(Running.call(channel, "a", "from an old one").getStatus()).isEqualTo(SERVING);

      stop.interrupt();
      stop.join();
      assertThatThrownBy(() -> Running.call(channel, "a", "")).hasMessageContaining("UNAVAILABLE");
      assertThatThrownBy(() -> Running.http(admin, HttpRequest.newBuilder(), "/readyz"))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void a_call_in_flight_ends_as_it_would_have() throws Exception {
    var held = new Held();
    try (var running = Running.of(held.service("a"))) {
      var channel = running.channel("a");
      var inFlight = ask(running, "a", "hold");
      Running.call(channel, "a", "");
      await().until(() -> held.waiting() == 1);

      var stop = Thread.ofPlatform().start(running.server::close);
      await().until(() -> channel.getState(false) == ConnectivityState.IDLE); // it got the GOAWAY
      assertThat(inFlight).isNotDone();
      held.release();
      assertThat(inFlight.get()).isEqualTo(Status.Code.OK);
      stop.join();
    }
  }

  @Test
  void no_call_is_refused_by_a_server_that_stops_until_its_connection_is_gone() throws Exception {
    try (var running =
        Running.with(settings -> settings.withDrain(Duration.ofMillis(50)), Echo.named("a"))) {
      var channel = running.channel("a");
      Running.call(channel, "a", "");
      var stop = Thread.ofPlatform().start(running.server::close);
      var refused = catchThrowable(() -> {
        while (true) {
          Running.call(channel, "a", "");
        }
      });
      stop.join();
      assertThat(refused)
          .hasRootCauseInstanceOf(IOException.class)
          .hasStackTraceContaining("Connection refused");
    }
  }

  @Test
  void a_call_that_never_ends_does_not_keep_the_server_from_stopping() throws Exception {
    var held = new Held();
    try (var running =
        Running.with(settings -> stopWithin(settings, Duration.ofMillis(300)), held.service("a"))) {
      var hanging = ask(running, "a", "hold");
      await().until(() -> held.waiting() == 1);
      long began = System.nanoTime();
      running.server.close();
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isBetween(Duration.ofMillis(290), Duration.ofSeconds(5));
      assertThat(hanging.get()).isNotEqualTo(Status.Code.OK);
      running.server.close(); // a second time does nothing
    }
  }

  @Test
  void a_thousand_calls_and_health_checks_block_no_loop() {
    try (var running = Running.of(Echo.named("a"));
        var guard = LoopGuard.watch(running.loops.all())) {
      var channels = List.of(running.channel("a"), running.channel("a"));
      for (int i = 0; i < 1000; i++) {
        Running.call(channels.get(i % 2), "a", "");
        Running.health(channels.get((i + 1) % 2), "a");
      }
      assertThat(guard.violations()).isEmpty();
    }
  }

  /** A service with a generated schema whose answers are prebuilt. */
  private static final class Reflector extends Delegating {
    Reflector() {
      super(Echo.named("reflector"));
    }

    @Override
    public ServerServiceDefinition definition() {
      var generated = io.grpc.reflection.v1alpha.ServerReflectionGrpc.getServiceDescriptor();
      var method = Prebuilt.answering(
          io.grpc.reflection.v1alpha.ServerReflectionGrpc.getServerReflectionInfoMethod());
      return Prebuilt.service(generated, method, ServerCalls.asyncBidiStreamingCall(answer -> {
        answer.onCompleted();
        return collecting(new ConcurrentLinkedQueue<>(), new CountDownLatch(1));
      }));
    }

    @Override
    public List<WarmUpCall> warmUpCalls() {
      return List.of();
    }
  }

  /** A service whose calls hang if they ask to be held, until they are released. */
  private static final class Held {
    private final Queue<StreamObserver<byte[]>> waiting = new ConcurrentLinkedQueue<>();

    Service service(String name) {
      return new Echo(name, (request, answer) -> {
        if (request.equals("hold")) {
          waiting.add(answer);
        } else {
          answer(answer);
        }
      });
    }

    int waiting() {
      return waiting.size();
    }

    void release() {
      waiting.forEach(Held::answer);
    }

    private static void answer(StreamObserver<byte[]> answer) {
      answer.onNext(Echo.ANSWER);
      answer.onCompleted();
    }
  }

  /** Asks over a connection of its own. */
  private static CompletableFuture<Status.Code> ask(
      Running running, String service, String request) {
    var code = new CompletableFuture<Status.Code>();
    ClientCalls.asyncUnaryCall(
        running.channel(service).newCall(Echo.method(service), CallOptions.DEFAULT),
        HealthCheckRequest.newBuilder().setService(request).build(),
        new StreamObserver<HealthCheckResponse>() {
          @Override
          public void onNext(HealthCheckResponse answer) {}

          @Override
          public void onError(Throwable error) {
            code.complete(Status.fromThrowable(error).getCode());
          }

          @Override
          public void onCompleted() {
            code.complete(Status.Code.OK);
          }
        });
    return code;
  }

  private static <T> StreamObserver<T> collecting(Queue<T> into, CountDownLatch ended) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        into.add(value);
      }

      @Override
      public void onError(Throwable error) {
        ended.countDown();
      }

      @Override
      public void onCompleted() {
        ended.countDown();
      }
    };
  }

  private static Decision decision(String requestId) {
    return new Decision(
        "a", requestId, "GET", "/", "", "", Decision.Outcome.ALLOWED, "ok", "", 1000);
  }

  private static InetSocketAddress freePort() {
    try (var socket = new ServerSocket(0, 1, Running.ANY.getAddress())) {
      return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
