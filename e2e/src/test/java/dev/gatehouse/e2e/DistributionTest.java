package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.server.Prebuilt;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution's programs as processes of their own: start, first answer, signals, mistakes of the user. */
class DistributionTest {
  @TempDir
  Path folder;

  @Test
  void help_and_version_are_told_and_a_misspelt_command_is_explained() throws Exception {
    assertThat(Distribution.run("gatehouse", "--help"))
        .satisfies(ended -> assertThat(ended.code()).isZero())
        .satisfies(ended -> assertThat(ended.output())
            .contains(
                "ext-authz", "ratelimit", "ext-proc", "run", "demo", "lint", "wire", "cases"));
    assertThat(Distribution.run("gatehouse", "--version").output()).contains("0.1.0");
    assertThat(Distribution.run("gatehouse", "lnt").code()).isEqualTo(2);
  }

  @Test
  void lint_names_every_mistake_with_its_place_and_ends_with_1() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    assertThat(Distribution.run("gatehouse", "lint", policies.toString()).code())
        .isZero();
    var file = policies.resolve("security.yaml");
    if (!java.nio.file.Files.exists(file)) {
      try (var files = java.nio.file.Files.list(policies)) {
        file = files.filter(f -> contains(f, "audiences:")).findFirst().orElseThrow();
      }
    }
    java.nio.file.Files.writeString(
        file, java.nio.file.Files.readString(file).replace("audiences:", "audience:"));
    var ended = Distribution.run("gatehouse", "lint", policies.toString());
    assertThat(ended.code()).isEqualTo(1);
    assertThat(ended.output())
        .containsPattern(file.getFileName() + ":\\d+:\\d+: .*audience.*did you mean \"audiences\"");
  }

  private static boolean contains(Path file, String text) {
    try {
      return java.nio.file.Files.readString(file).contains(text);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void a_taken_port_is_named_with_the_flag_that_changes_it() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    try (var taken = new ServerSocket(0)) {
      var address = "127.0.0.1:" + taken.getLocalPort();
      var grpc = Distribution.run(
          "gatehouse",
          "ext-proc",
          "--policies",
          policies.toString(),
          "--listen",
          address,
          "--admin",
          "127.0.0.1:0");
      assertThat(grpc.code()).isEqualTo(1);
      assertThat(grpc.output()).contains("cannot listen on " + address, "--listen");
      var admin = Distribution.run(
          "gatehouse",
          "ext-proc",
          "--policies",
          policies.toString(),
          "--listen",
          "127.0.0.1:0",
          "--admin",
          address);
      assertThat(admin.code()).isEqualTo(1);
      assertThat(admin.output()).contains("cannot listen on " + address, "--admin");
    }
  }

  /** A cold JVM takes half a second for it, always; a busy machine takes long now and then: one of three fresh processes is enough. */
  @Test
  void the_first_request_after_ready_is_answered_within_50_ms_by_each_service() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    var firsts = new ArrayList<List<Duration>>();
    try (var used = Gatehouse.run(policies)) {
      used.awaitReady();
      for (var i = 0; i < 200; i++) {
        used.check();
        used.limit();
        used.process();
      }
      for (var i = 0; i < 3 && firsts.stream().noneMatch(DistributionTest::fast); i++) {
        try (var fresh = Gatehouse.run(policies)) {
          fresh.awaitReady();
          firsts.add(List.of(fresh.check(), fresh.limit(), fresh.process()));
        }
      }
    }
    assertThat(firsts).anyMatch(DistributionTest::fast);
  }

  private static boolean fast(List<Duration> firsts) {
    return firsts.stream().allMatch(took -> took.compareTo(Duration.ofMillis(50)) < 0);
  }

  @Test
  void metrics_and_policies_are_shown_without_secrets_and_sigterm_ends_it_in_order()
      throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    try (var gatehouse = Gatehouse.run(policies)) {
      gatehouse.awaitReady();
      gatehouse.check();
      assertThat(Distribution.body(gatehouse.admin, "/metrics"))
          .contains("gatehouse_decisions_total{", "service=\"ext-authz\"", "gatehouse_ready 1");
      assertThat(Distribution.body(gatehouse.admin, "/policies"))
          .contains("shop/web/http", "SecurityPolicy")
          .doesNotContain("2S9ZZHkJG7ELysgdcr5V");
      assertThat(gatehouse.running.terminated()).as("ended by SIGTERM").isEqualTo(128 + 15);
      assertThat(gatehouse.running.output()).contains("not ready any more", "stopped after");
    }
  }

  /** A {@code gatehouse run}, and a client for its three services. */
  private record Gatehouse(
      Distribution.Running running,
      int admin,
      ManagedChannel authz,
      ManagedChannel ratelimit,
      ManagedChannel extProc)
      implements AutoCloseable {
    static Gatehouse run(Path policies) throws IOException {
      var ports = List.of(
          Distribution.freePort(),
          Distribution.freePort(),
          Distribution.freePort(),
          Distribution.freePort());
      var running = Distribution.start(
          Map.of(),
          "gatehouse",
          "run",
          "--policies",
          policies.toString(),
          "--ext-authz-listen",
          "127.0.0.1:" + ports.get(0),
          "--ratelimit-listen",
          "127.0.0.1:" + ports.get(1),
          "--ext-proc-listen",
          "127.0.0.1:" + ports.get(2),
          "--admin",
          "127.0.0.1:" + ports.get(3),
          "--drain",
          "0s");
      return new Gatehouse(
          running,
          ports.get(3),
          channel(ports.get(0)),
          channel(ports.get(1)),
          channel(ports.get(2)));
    }

    void awaitReady() {
      running.awaitReady(admin);
    }

    /** How long ext-authz takes to deny a request without a token. */
    Duration check() {
      var request = CheckRequest.newBuilder()
          .setAttributes(AttributeContext.newBuilder()
              .putContextExtensions("gatehouse.dev/listener", "shop/web/http")
              .putContextExtensions("gatehouse.dev/route", "HTTPRoute/shop/orders/none")
              .setRequest(AttributeContext.Request.newBuilder()
                  .setHttp(AttributeContext.HttpRequest.newBuilder()
                      .setMethod("GET")
                      .setPath("/orders"))))
          .build();
      var began = System.nanoTime();
      CheckResponse answer = ClientCalls.blockingUnaryCall(
          authz, AuthorizationGrpc.getCheckMethod(), CallOptions.DEFAULT, request);
      var took = Duration.ofNanos(System.nanoTime() - began);
      assertThat(answer.getStatus().getCode()).isNotZero();
      return took;
    }

    Duration limit() {
      var request = RateLimitRequest.newBuilder()
          .setDomain("shop/web/http")
          .addDescriptors(RateLimitDescriptor.newBuilder()
              .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("a").setValue("b")))
          .build();
      var began = System.nanoTime();
      RateLimitResponse answer = ClientCalls.blockingUnaryCall(
          ratelimit, RateLimitServiceGrpc.getShouldRateLimitMethod(), CallOptions.DEFAULT, request);
      var took = Duration.ofNanos(System.nanoTime() - began);
      assertThat(answer.getOverallCode()).isEqualTo(RateLimitResponse.Code.OK);
      return took;
    }

    /** A stream that sends request headers and takes the first answer. */
    Duration process() {
      var request = io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest.newBuilder()
          .setRequestHeaders(
              io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders.newBuilder().setEndOfStream(true))
          .build();
      var generated = ExternalProcessorGrpc.getProcessMethod();
      var method = MethodDescriptor.<byte[], byte[]>newBuilder()
          .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
          .setFullMethodName(generated.getFullMethodName())
          .setRequestMarshaller(Prebuilt.bytes())
          .setResponseMarshaller(Prebuilt.bytes())
          .build();
      var began = System.nanoTime();
      var answers = ClientCalls.blockingServerStreamingCall(
          extProc, method, CallOptions.DEFAULT, request.toByteArray());
      assertThat(answers.hasNext()).isTrue();
      assertThat(answers.next()).isNotEmpty();
      return Duration.ofNanos(System.nanoTime() - began);
    }

    private static ManagedChannel channel(int port) {
      return NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
          .usePlaintext()
          .build();
    }

    @Override
    public void close() {
      authz.shutdownNow();
      ratelimit.shutdownNow();
      extProc.shutdownNow();
      running.close();
    }
  }

  /** ratelimit and its epoll: EnvoyGatewayContractTest. */
  @Test
  void where_nothing_can_be_written_signatures_are_as_fast_as_elsewhere() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    var readOnly = ReadOnly.here();
    var admin = Distribution.freePort();
    try (var running = Distribution.startAlone(
        readOnly.command(),
        readOnly.env(),
        "gatehouse",
        "ext-authz",
        "--policies",
        policies.toString(),
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:" + admin)) {
      running.awaitReady(admin);
      running.awaitSays("signatures are checked by AmazonCorrettoCryptoProvider", " epoll loops");
    }
  }

  @Test
  void ratelimit_starts_with_the_environment_of_the_reference_service() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    var grpc = Distribution.freePort();
    var http = Distribution.freePort();
    var env = new HashMap<>(Map.of(
        "GATEHOUSE_POLICIES",
        policies.toString(),
        "GATEHOUSE_DRAIN",
        "0s",
        "GRPC_HOST",
        "127.0.0.1",
        "GRPC_PORT",
        Integer.toString(grpc),
        "HOST",
        "127.0.0.1",
        "PORT",
        Integer.toString(http)));
    var debug = Distribution.freePort();
    env.put("DEBUG_HOST", "127.0.0.1");
    env.put("DEBUG_PORT", Integer.toString(debug));
    env.put("BACKEND_TYPE", "memory");
    env.put("USE_STATSD", "false");
    env.put("LOG_LEVEL", "warn");
    env.put("RUNTIME_ROOT", folder.toString());
    env.put("RUNTIME_SUBDIRECTORY", "ratelimit");
    var config = java.nio.file.Files.createDirectories(folder.resolve("ratelimit/config"));
    java.nio.file.Files.writeString(config.resolve("mongo.yaml"), """
        domain: mongo_cps
        descriptors:
        - key: database
          value: users
          rate_limit: {unit: second, requests_per_unit: 500}
        """);
    try (var running = Distribution.start(env, "ratelimit")) {
      running.awaitReady(http);
      assertThat(running.says("\"INFO\"")).as("LOG_LEVEL=warn").isFalse();
      assertThat(Distribution.body(debug, "/rlconfig"))
          .contains("mongo_cps.database_users: unit=SECOND requests_per_unit=500, ")
          .contains("shop/web/http.");
      assertThat(Distribution.body(http, "/healthcheck")).isEqualTo("OK");
      assertThat(running.terminated()).isEqualTo(128 + 15);
    }
  }
}
