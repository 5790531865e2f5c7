package dev.gatehouse.ratelimit;

import static dev.gatehouse.ratelimit.Requests.adding;
import static dev.gatehouse.ratelimit.Requests.descriptor;
import static dev.gatehouse.ratelimit.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.LoopGuard;
import dev.gatehouse.testkit.RedisFixture;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.Code;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service behind a real gRPC server, called as Envoy calls it. */
final class RateLimitTest {
  private static final String USER =
      "{clientSelectors: [{headers: [{name: x-user, type: Distinct}]}], limit: {requests: 5, unit: Minute}}";
  private static final String ALL = "{limit: {requests: 100, unit: Hour}}";

  private final FakeClock clock = new FakeClock();
  private final EventLoops loops = EventLoops.start(2);
  private PrometheusRegistry metrics = new PrometheusRegistry();
  private final List<Decision> decisions = new CopyOnWriteArrayList<>();
  private final AtomicBoolean failing = new AtomicBoolean();
  private final List<AutoCloseable> running = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (var part : running.reversed()) {
      part.close();
    }
    loops.close();
  }

  @Test
  void a_user_may_make_as_many_requests_as_the_policy_says() {
    var client = start(null, clock, USER);
    for (int left = 4; left >= 0; left--) {
      var answer = client.shouldRateLimit(request(user("alice")));
      assertThat(answer.getOverallCode()).isEqualTo(Code.OK);
      assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(left);
    }
    assertThat(client.shouldRateLimit(request(user("alice"))).getOverallCode())
        .isEqualTo(Code.OVER_LIMIT);
    assertThat(client.shouldRateLimit(request(user("bob"))).getOverallCode()).isEqualTo(Code.OK);
    clock.advance(Duration.ofMinutes(1));
    assertThat(client.shouldRateLimit(request(user("alice"))).getOverallCode()).isEqualTo(Code.OK);
  }

  @Test
  void statuses_stand_in_the_order_of_the_descriptors() {
    var answer = start(null, clock, USER, ALL)
        .shouldRateLimit(request(every(1), descriptor("who", "knows"), user("alice")));
    assertThat(answer.getStatusesCount()).isEqualTo(3);
    assertThat(answer.getStatuses(0).getCurrentLimit().getRequestsPerUnit()).isEqualTo(100);
    assertThat(answer.getStatuses(0).getDurationUntilReset().getSeconds()).isEqualTo(3600);
    assertThat(answer.getStatuses(1).hasCurrentLimit()).isFalse();
    assertThat(answer.getStatuses(1).getCode()).isEqualTo(Code.OK);
    assertThat(answer.getStatuses(2).getCurrentLimit().getRequestsPerUnit()).isEqualTo(5);
  }

  @Test
  void looking_counts_nothing() {
    var client = start(null, clock, USER);
    for (int i = 0; i < 10; i++) {
      var answer = client.shouldRateLimit(request(adding(0, user("alice"))));
      assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(5);
    }
  }

  @Test
  void shadow_mode_never_denies_and_is_reported() {
    var client = start(null, clock, "{limit: {requests: 0, unit: Hour}, shadowMode: true}");
    assertThat(client.shouldRateLimit(request(every(0))).getOverallCode()).isEqualTo(Code.OK);
    assertThat(last()).satisfies(decision -> {
      assertThat(decision.outcome()).isEqualTo(Decision.Outcome.ALLOWED);
      assertThat(decision.reason()).isEqualTo("over limit in shadow mode");
      assertThat(decision.policy()).isEqualTo("shop/limits");
    });
  }

  @Test
  void a_decision_says_which_request_it_is_and_what_remains() {
    var client = start(null, clock, USER);
    var metadata = new Metadata();
    metadata.put(Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER), "r-17");
    clock.advance(Duration.ofSeconds(23));
    client
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))
        .shouldRateLimit(request(user("alice")));
    assertThat(last()).satisfies(decision -> {
      assertThat(decision.service()).isEqualTo("ratelimit");
      assertThat(decision.requestId()).isEqualTo("r-17");
      assertThat(decision.policy()).isEqualTo("shop/limits");
      assertThat(decision.outcome()).isEqualTo(Decision.Outcome.ALLOWED);
      assertThat(decision.reason()).isEqualTo("within limit");
      assertThat(decision.detail()).isEqualTo("4 of 5 left, resets in 37s");
      assertThat(decision.nanos()).isPositive();
    });
    client.shouldRateLimit(request(adding(9, user("alice"))));
    assertThat(last()).satisfies(decision -> {
      assertThat(decision.outcome()).isEqualTo(Decision.Outcome.OVER_LIMIT);
      assertThat(decision.detail()).isEqualTo("0 of 5 left, resets in 37s");
    });
  }

  @Test
  void unknown_descriptors_pass_and_are_counted() {
    var client = start(null, clock, USER);
    assertThat(client
            .shouldRateLimit(request("none/of/ours", user("alice"), every(0)))
            .getOverallCode())
        .isEqualTo(Code.OK);
    assertThat(metric("gatehouse_ratelimit_unknown_descriptors", null)).isEqualTo(2);
    assertThat(last().reason()).isEqualTo("unknown descriptor");
  }

  @Test
  void an_empty_domain_and_no_descriptors_are_errors_as_in_the_reference() {
    var client = start(null, clock, USER);
    assertFails(
        client,
        request("", user("alice")),
        Status.Code.UNKNOWN,
        "rate limit domain must not be empty");
    assertFails(
        client,
        request(Shop.DOMAIN),
        Status.Code.UNKNOWN,
        "rate limit descriptor list must not be empty");
  }

  @Test
  void the_routes_of_a_policy_that_cannot_be_honoured_are_unavailable() {
    var client = start(null, clock, "{limit: {requests: 5, unit: Fortnight}}");
    assertFails(client, request(descriptor()), Status.Code.UNAVAILABLE, "shop/limits");
    assertThat(last()).satisfies(decision -> {
      assertThat(decision.outcome()).isEqualTo(Decision.Outcome.UNAVAILABLE);
      assertThat(decision.policy()).isEqualTo("shop/limits");
    });
  }

  @Test
  void replicas_on_one_redis_admit_exactly_the_limit() {
    try (var redis = RedisFixture.start()) {
      var prefix = redis.freshPrefix();
      var limit =
          "{clientSelectors: [{headers: [{name: x-user, type: Distinct}]}], limit: {requests: 150, unit: Year}}";
      var settings = RateLimitSettings.of(redis.url(), Duration.ofSeconds(2), prefix);
      var replicas = List.of(
          start(settings, InstantSource.system(), limit),
          start(
              settings,
              InstantSource.offset(InstantSource.system(), Duration.ofMinutes(5)),
              limit));
      var admitted = IntStream.range(0, 4)
          .mapToObj(thread -> CompletableFuture.supplyAsync(() -> IntStream.range(0, 100)
              .filter(i -> replicas
                      .get(thread % 2)
                      .shouldRateLimit(request(user("alice")))
                      .getOverallCode()
                  == Code.OK)
              .count()))
          .toList();
      assertThat(admitted.stream().mapToLong(CompletableFuture::join).sum()).isEqualTo(150);
    }
  }

  @Test
  void a_redis_that_hangs_is_answered_unavailable_within_the_deadline() {
    try (var redis = RedisFixture.startProcess()) {
      var client = start(
          RateLimitSettings.of(redis.url(), Duration.ofMillis(10), ""),
          InstantSource.system(),
          USER);
      await()
          .ignoreExceptions()
          .until(() -> client.shouldRateLimit(request(user("alice"))).getStatusesCount() == 1);
      redis.pause();
      var waited = new ArrayList<Duration>();
      for (int i = 0; i < 5; i++) {
        long before = System.nanoTime();
        assertFails(
            client, request(user("alice")), Status.Code.UNAVAILABLE, "did not answer in time");
        waited.add(Duration.ofNanos(System.nanoTime() - before));
      }
      waited.sort(null);
      assertThat(waited.getFirst()).isGreaterThanOrEqualTo(Duration.ofMillis(10));
      assertThat(waited.get(2)).isLessThan(Duration.ofMillis(18));
      assertThat(metric("gatehouse_ratelimit_store_failures", "timeout")).isEqualTo(5);
      assertFails(
          client, request(user("alice")), Status.Code.UNAVAILABLE, "does not answer at present");
      redis.resume();
      await()
          .ignoreExceptions()
          .until(() -> client.shouldRateLimit(request(user("alice"))).getStatusesCount() == 1);
    }
  }

  @Test
  void an_edit_of_the_limit_is_in_force_at_once_and_keeps_what_was_counted(@TempDir Path folder)
      throws IOException {
    var file = Files.writeString(folder.resolve("shop.yaml"), Shop.yaml(USER));
    try (var policies = PolicySource.folders(List.of(folder), true)) {
      var context = newContext(clock);
      var service = RateLimit.create(policies, RateLimitSettings.defaults(), context);
      policies.start();
      var client = serve(service);
      for (int i = 0; i < 6; i++) {
        client.shouldRateLimit(request(user("alice")));
      }
      assertThat(client.shouldRateLimit(request(user("alice"))).getOverallCode())
          .isEqualTo(Code.OVER_LIMIT);

      Files.writeString(file, Shop.yaml(USER.replace("requests: 5", "requests: 50")));
      policies.poll();
      var answer = client.shouldRateLimit(request(user("alice")));
      assertThat(answer.getOverallCode()).isEqualTo(Code.OK);
      assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(50 - 8);

      Files.writeString(file, Shop.yaml("{limit: {requests: 5, unit: Fortnight}}"));
      policies.poll();
      assertThat(client.shouldRateLimit(request(user("alice"))).getStatuses(0).getLimitRemaining())
          .as("a bad change leaves the last good limits in force")
          .isEqualTo(50 - 9);
    }
  }

  @Test
  void a_call_that_its_caller_gave_up_does_no_harm() {
    try (var redis = RedisFixture.startProcess()) {
      var client = start(
          RateLimitSettings.of(redis.url(), Duration.ofMillis(100), ""),
          InstantSource.system(),
          USER);
      await()
          .ignoreExceptions()
          .until(() -> client.shouldRateLimit(request(user("alice"))).getStatusesCount() == 1);
      redis.pause();
      for (int i = 0; i < 3; i++) {
        assertFails(
            client.withDeadlineAfter(20, TimeUnit.MILLISECONDS),
            request(user("alice")),
            Status.Code.DEADLINE_EXCEEDED,
            "");
      }
      assertFails(
          client, request(user("alice")), Status.Code.UNAVAILABLE, "did not answer in time");
      await()
          .untilAsserted(() -> assertThat(metric("gatehouse_ratelimit_store_failures", "timeout"))
              .isEqualTo(4));
    }
  }

  @Test
  void a_listener_that_throws_costs_no_answer() {
    var client = start(null, clock, USER);
    failing.set(true);
    assertThat(client.shouldRateLimit(request(user("alice"))).getOverallCode()).isEqualTo(Code.OK);
    assertFails(client, request("", user("alice")), Status.Code.UNKNOWN, "domain");
    failing.set(false);
    assertThat(client.shouldRateLimit(request(user("alice"))).getStatuses(0).getLimitRemaining())
        .isEqualTo(3);
  }

  @Test
  void the_servers_warm_up_calls_are_answered_and_leave_no_trace() {
    var limits = new Live<>(
        new LimitTreeCompiler().compile(Shop.with(USER).policies(), null, new Problems()));
    var context = newContext(clock);
    var service = RateLimit.create(limits, RateLimitSettings.defaults(), context);
    var listener = new ServerSettings.Listener(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, List.of("ratelimit"));
    try (var server =
        GatehouseServer.start(serverSettings(listener), List.of(service), context, () -> "{}")) {
      assertThat(metric("gatehouse_ratelimit_unknown_descriptors", null)).isZero();
      assertThat(metric("gatehouse_ratelimit_store_failures", null)).isZero();
      var answer =
          client(server.address("ratelimit").getPort()).shouldRateLimit(request(user("alice")));
      assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(4);
    }
  }

  /** Without a drain: nobody waits for this test's server. */
  private static ServerSettings serverSettings(ServerSettings.Listener listener) {
    var usual = ServerSettings.of(List.of(listener), null);
    return new ServerSettings(
        usual.listeners(),
        null,
        usual.loops(),
        usual.maxConcurrentCalls(),
        usual.maxMessageBytes(),
        usual.maxHeaderBytes(),
        usual.maxConnectionAge(),
        usual.maxConnectionAgeGrace(),
        Duration.ZERO,
        Duration.ofSeconds(2));
  }

  @Test
  void no_loop_is_blocked_in_memory_or_on_redis() throws Exception {
    try (var redis = RedisFixture.start()) {
      var clients = List.of(
          start(null, clock, USER),
          start(
              RateLimitSettings.of(redis.url(), Duration.ofSeconds(2), redis.freshPrefix()),
              InstantSource.system(),
              USER));
      clients.forEach(client -> await()
          .ignoreExceptions()
          .until(() -> client.shouldRateLimit(request(user("alice"))).getStatusesCount() == 1));
      try (var guard = LoopGuard.watch(loops.all())) {
        for (int i = 0; i < 200; i++) {
          var user = "user-" + i;
          clients.forEach(client -> client.shouldRateLimit(request(user(user))));
        }
        assertThat(guard.violations()).isEmpty();
      }
    }
  }

  private static RateLimitDescriptor user(String name) {
    return descriptor("rule-0-match-0", name);
  }

  private static RateLimitDescriptor every(int rule) {
    return descriptor("rule-" + rule + "-match--1", "rule-" + rule + "-match--1");
  }

  private RateLimitServiceGrpc.RateLimitServiceBlockingStub start(
      @Nullable RateLimitSettings settings, InstantSource clock, String... rules) {
    var limits = new Live<>(
        new LimitTreeCompiler().compile(Shop.with(rules).policies(), null, new Problems()));
    var context = newContext(clock);
    var service = RateLimit.create(
        limits, settings == null ? RateLimitSettings.defaults() : settings, context);
    return serve(service);
  }

  private ServiceContext newContext(InstantSource clock) {
    metrics = new PrometheusRegistry();
    return new ServiceContext(loops, metrics, this::hear, clock);
  }

  /** As the real server does, but for its warm-up and drain, which take their time. */
  private RateLimitServiceGrpc.RateLimitServiceBlockingStub serve(RateLimit service) {
    try {
      var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      var server = NettyServerBuilder.forAddress(address)
          .bossEventLoopGroup(loops.group())
          .workerEventLoopGroup(loops.group())
          .channelType(loops.serverChannel())
          .directExecutor()
          .addService(service.definition())
          .build()
          .start();
      running.add(service);
      running.add(() -> server.shutdownNow().awaitTermination());
      return client(server.getPort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private RateLimitServiceGrpc.RateLimitServiceBlockingStub client(int port) {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    running.add(channel::shutdownNow);
    return RateLimitServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private void hear(Decision decision) {
    if (failing.get()) {
      throw new ListenersMistake();
    }
    decisions.add(decision);
  }

  private Decision last() {
    await().until(() -> !decisions.isEmpty());
    return decisions.getLast();
  }

  private static void assertFails(
      RateLimitServiceGrpc.RateLimitServiceBlockingStub client,
      RateLimitRequest request,
      Status.Code code,
      String message) {
    assertThatThrownBy(() -> {
          RateLimitResponse answer = client.shouldRateLimit(request);
          throw new AssertionError("answered " + answer);
        })
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
          assertThat(e.getStatus().getCode()).isEqualTo(code);
          assertThat(e.getStatus().getDescription()).contains(message);
        });
  }

  private double metric(String name, @Nullable String reason) {
    return metrics.scrape(n -> n.equals(name)).stream()
        .flatMap(m -> ((CounterSnapshot) m).getDataPoints().stream())
        .filter(p -> reason == null || reason.equals(p.getLabels().get("reason")))
        .mapToDouble(CounterSnapshot.CounterDataPointSnapshot::getValue)
        .sum();
  }

  /** Without a stack trace, to keep the test's log short. */
  private static final class ListenersMistake extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ListenersMistake() {
      super("which this test makes", null, false, false);
    }
  }
}
