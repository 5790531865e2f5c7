package dev.gatehouse.e2e;

import static io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING;
import static io.grpc.MethodDescriptor.MethodType.UNARY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gRPC client and a gRPC server of grpc-java, and between them a real Envoy that asks ext-authz about the calls of a GRPCRoute. */
class GrpcRouteTest {
  private static final String POLICIES = ShopYaml.GATEWAY + """
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: GRPCRoute
      metadata: {name: shop, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules:
        - name: orders
          matches: [{method: {service: shop.Orders}}]
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]
        - name: admin
          matches: [{method: {service: shop.Orders, method: Purge}}]
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]
        - name: catalog
          matches: [{method: {service: shop.Catalog}}]
          filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-rule, value: catalog}]}}]
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]
        - name: gone
          matches: [{method: {service: shop.Gone}}]
        - name: keyless
          matches: [{method: {service: shop.Keyless}}]
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: shop, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: shop}]
        jwt:
          providers:
          - name: idp
            issuer: ${issuer}
            localJWKS: {type: Inline, inline: '${jwks}'}
            claimToHeaders: [{claim: sub, header: x-user}]
        authorization:
          defaultAction: Deny
          rules:
          - name: read
            action: Allow
            operation: {path: {type: Exact, value: /shop.Orders/Get}}
            principal: {jwt: {provider: idp, claims: [{name: sub, values: [ada]}]}}
          - name: watch
            action: Allow
            operation: {methods: [POST], path: {type: RegularExpression, value: "/shop[.]Orders/Watch.*"}}
            principal: {jwt: {provider: idp, claims: [{name: sub, values: [ada]}]}}
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: admin, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: shop, sectionName: admin}]
        jwt:
          providers:
          - name: idp
            issuer: ${issuer}
            localJWKS: {type: Inline, inline: '${jwks}'}
        authorization:
          defaultAction: Deny
          rules:
          - {name: root, action: Allow, principal: {jwt: {provider: idp, claims: [{name: sub, values: [root]}]}}}
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: open, namespace: shop}
      spec:
        targetRefs:
        - {group: gateway.networking.k8s.io, kind: GRPCRoute, name: shop, sectionName: catalog}
        - {group: gateway.networking.k8s.io, kind: GRPCRoute, name: shop, sectionName: gone}
      ---
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: keyless, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: GRPCRoute, name: shop, sectionName: keyless}]
        jwt:
          providers:
          - name: idp
            issuer: ${issuer}
            remoteJWKS: {uri: "http://127.0.0.1:1/jwks"}
      """;

  private static final Metadata.Key<String> USER = key("x-user");

  @TempDir
  static Path work;

  private static final Queue<Metadata> SEEN = new ConcurrentLinkedQueue<>();
  private static Issuer issuer;
  private static Server upstream;
  private static Gate gate;
  private static ManagedChannel channel;

  @BeforeAll
  static void open() throws IOException {
    issuer = Issuer.random();
    upstream = NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(service(
            "shop.Orders",
            method("shop.Orders/Get", UNARY),
            method("shop.Orders/Purge", UNARY),
            method("shop.Orders/WatchAll", BIDI_STREAMING)))
        .addService(service("shop.Catalog", method("shop.Catalog/Get", UNARY)))
        .build()
        .start();
    var policies = Files.createDirectory(work.resolve("policies"));
    Files.writeString(
        policies.resolve("shop.yaml"),
        POLICIES.replace("${issuer}", issuer.url()).replace("${jwks}", issuer.jwks()));
    gate = Gate.open(
        Gate.Settings.of(
            policies,
            Files.createDirectory(work.resolve("envoy")),
            EnvoyBinary.find(System.getenv(), line -> {}),
            backend -> upstream.getPort()),
        (reload, problems) -> {});
    assertThat(gate.inForce().problems()).isEmpty();
    assertThat(gate.wireProblems()).isEmpty();
    channel = NettyChannelBuilder.forAddress(
            gate.endpoints().values().iterator().next().address())
        .usePlaintext()
        .build();
  }

  @AfterAll
  static void close() {
    channel.shutdownNow();
    gate.close();
    upstream.shutdownNow();
    issuer.close();
  }

  @AfterEach
  void forget() {
    SEEN.clear();
  }

  @Test
  void a_call_with_a_token_reaches_the_server_and_tells_who_calls() {
    assertThat(get("shop.Orders/Get", token("ada"), "evil")).isEqualTo("echo hello");

    assertThat(SEEN).singleElement().satisfies(headers -> {
      assertThat(headers.getAll(USER)).containsExactly("ada");
    });
  }

  @Test
  void a_call_without_a_token_is_unauthenticated_and_the_server_hears_nothing_of_it() {
    var refused = refused("shop.Orders/Get", null);

    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    var trailers = refused.getTrailers();
    assertThat(trailers).isNotNull();
    assertThat(trailers.get(key("www-authenticate"))).startsWith("Bearer");
    assertThat(SEEN).isEmpty();
  }

  @Test
  void a_forged_token_is_unauthenticated_and_the_client_learns_no_more_than_that() {
    try (var forger = Issuer.random()) {
      var refused = refused("shop.Orders/Get", forger.token(claims("ada")));

      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(String.valueOf(refused.getStatus().getDescription()))
          .doesNotContain("signature", "kid", "key");
    }
    assertThat(SEEN).isEmpty();
  }

  @Test
  void the_path_of_a_call_is_what_authorization_sees_of_its_method() {
    assertThat(refused("shop.Orders/Cancel", token("ada")).getStatus().getCode())
        .isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(SEEN).isEmpty();
  }

  @Test
  void a_policy_on_a_rule_decides_alone_about_its_method() {
    assertThat(refused("shop.Orders/Purge", token("ada")).getStatus().getCode())
        .isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(get("shop.Orders/Purge", token("root"), null)).isEqualTo("echo hello");
  }

  @Test
  void a_rule_that_is_opted_out_is_open_and_still_takes_no_identity_from_a_client() {
    assertThat(get("shop.Catalog/Get", null, "evil")).isEqualTo("echo hello");

    assertThat(SEEN)
        .singleElement()
        .satisfies(headers -> assertThat(headers.containsKey(USER)).isFalse());
  }

  @Test
  void a_method_that_no_rule_matches_is_unimplemented() {
    assertThat(refused("shop.Nothing/Get", token("ada")).getStatus().getCode())
        .isEqualTo(Status.Code.UNIMPLEMENTED);
  }

  @Test
  void a_rule_without_a_backend_is_unavailable() {
    assertThat(refused("shop.Gone/Get", null).getStatus().getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void what_cannot_be_decided_is_unavailable_and_not_let_through() {
    assertThat(refused("shop.Keyless/Get", token("ada")).getStatus().getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(SEEN).isEmpty();
  }

  @Test
  void messages_of_a_stream_pass_both_ways_while_it_is_open() throws InterruptedException {
    var answers = new Answers();
    var call = as(token("ada"), null)
        .newCall(method("shop.Orders/WatchAll", BIDI_STREAMING), CallOptions.DEFAULT);
    var questions = ClientCalls.asyncBidiStreamingCall(call, answers);

    for (var question : List.of("one", "two", "three")) {
      questions.onNext(question);
      assertThat(answers.next()).isEqualTo("echo " + question);
    }
    questions.onCompleted();
    assertThat(answers.next()).isEqualTo("completed");
  }

  @Test
  void a_stream_without_a_token_ends_unauthenticated_before_its_first_message()
      throws InterruptedException {
    var answers = new Answers();
    var call = channel.newCall(method("shop.Orders/WatchAll", BIDI_STREAMING), CallOptions.DEFAULT);
    ClientCalls.asyncBidiStreamingCall(call, answers);

    assertThat(answers.next()).isEqualTo("UNAUTHENTICATED");
    assertThat(SEEN).isEmpty();
  }

  private static String get(String method, @Nullable String token, @Nullable String user) {
    return ClientCalls.blockingUnaryCall(
        as(token, user),
        method(method, UNARY),
        CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS),
        "hello");
  }

  private static StatusRuntimeException refused(String method, @Nullable String token) {
    return assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(() -> get(method, token, null))
        .actual();
  }

  private static Channel as(@Nullable String token, @Nullable String user) {
    var headers = new Metadata();
    if (token != null) {
      headers.put(key("authorization"), "Bearer " + token);
    }
    if (user != null) {
      headers.put(USER, user);
    }
    return ClientInterceptors.intercept(
        channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static String token(String user) {
    return issuer.token(claims(user));
  }

  private static Map<String, Object> claims(String user) {
    return Map.of("iss", issuer.url(), "sub", user, "exp", Instant.now().getEpochSecond() + 600);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @SafeVarargs
  private static ServerServiceDefinition service(
      String name, MethodDescriptor<String, String>... methods) {
    var service = ServerServiceDefinition.builder(name);
    for (var method : methods) {
      service.addMethod(method, new EchoHandler());
    }
    return service.build();
  }

  private static MethodDescriptor<String, String> method(
      String name, MethodDescriptor.MethodType type) {
    return MethodDescriptor.<String, String>newBuilder(new Utf8(), new Utf8())
        .setFullMethodName(name)
        .setType(type)
        .build();
  }

  /** Answers each message at once, and remembers the call's headers. */
  private static final class EchoHandler implements ServerCallHandler<String, String> {
    @Override
    public ServerCall.Listener<String> startCall(
        ServerCall<String, String> call, Metadata headers) {
      SEEN.add(headers);
      call.sendHeaders(new Metadata());
      call.request(1);
      return new ServerCall.Listener<>() {
        @Override
        public void onMessage(String message) {
          call.sendMessage("echo " + message);
          call.request(1);
        }

        @Override
        public void onHalfClose() {
          call.close(Status.OK, new Metadata());
        }
      };
    }
  }

  /** What a stream brought, in order. */
  private static final class Answers implements StreamObserver<String> {
    private final BlockingQueue<String> all = new LinkedBlockingQueue<>();

    @Nullable
    String next() throws InterruptedException {
      return all.poll(10, TimeUnit.SECONDS);
    }

    @Override
    public void onNext(String message) {
      all.add(message);
    }

    @Override
    public void onError(Throwable error) {
      all.add(Status.fromThrowable(error).getCode().name());
    }

    @Override
    public void onCompleted() {
      all.add("completed");
    }
  }

  private static final class Utf8 implements MethodDescriptor.Marshaller<String> {
    @Override
    public InputStream stream(String text) {
      return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String parse(InputStream bytes) {
      try {
        return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
