package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.authz.jwt.KeySources;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.testkit.FakeClock;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** The service without gRPC, told what to do by a text of policies; its clock is fake. */
final class Gate implements AutoCloseable {
  static final String ROUTES = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners: [{name: http, port: 80, protocol: HTTP}]
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules:
        - name: list
          matches: [{path: {type: PathPrefix, value: /orders}}]
          backendRefs: [{name: shop, port: 80}]
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: public, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules:
        - name: all
          matches: [{path: {type: PathPrefix, value: /public}}]
          backendRefs: [{name: shop, port: 80}]
      ---
      """;

  /** A busy machine is no reason for a 503. */
  private static final Duration PATIENT = Duration.ofSeconds(20);

  final FakeClock clock = new FakeClock(Issuer.NOW);
  final Problems problems = new Problems();
  final List<Decision> heard = new CopyOnWriteArrayList<>();
  final KeySources keys = new KeySources(clock);
  private final AuthCompiler compiler;
  private final Decisions decisions;
  final AuthPlan plan;
  private final AuthzService service;
  private final boolean addressFromHeader;

  private Gate(String yaml, ExtAuthzSettings settings, Duration within) {
    compiler = new AuthCompiler(keys, new TokenCache(8 << 20), settings);
    var load = Load.text("policies.yaml", yaml);
    load.problems().all().forEach(p -> problems.warning(p.origin(), p.path(), p.toString()));
    plan = compiler.compile(load.policies(), null, problems);
    decisions = new Decisions(new Authorizer(), clock, within);
    addressFromHeader = settings.addressFromHeader();
    service = service(heard::add);
  }

  /** The same, heard by another. */
  AuthzService service(DecisionListener listener) {
    return new AuthzService(
        new Live<>(plan), decisions, new Answers(), listener, addressFromHeader);
  }

  /** The routes of {@link #ROUTES}, and these, which must be sound. */
  static Gate of(String policies) {
    return of(policies, ExtAuthzSettings.defaults());
  }

  static Gate of(String policies, ExtAuthzSettings settings) {
    return sound(new Gate(ROUTES + policies, settings, PATIENT));
  }

  /** @param within what a decision may take */
  static Gate within(Duration within, String policies) {
    return sound(new Gate(ROUTES + policies, ExtAuthzSettings.defaults(), within));
  }

  private static Gate sound(Gate gate) {
    assertThat(gate.problems.all()).isEmpty();
    return gate;
  }

  /** With policies that have errors. */
  static Gate flawed(String policies) {
    return new Gate(ROUTES + policies, ExtAuthzSettings.defaults(), PATIENT);
  }

  /** A SecurityPolicy of the route {@code orders}; the spec's lines are indented by two. */
  static String policy(String spec) {
    return """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        %s
        """.formatted(spec.indent(2));
  }

  /** A provider named corp, its keys {@link Issuer#set()}, that makes x-user of sub. */
  static String jwt(String more) {
    return """
        jwt:
          providers:
          - name: corp
            issuer: %s
            localJWKS: {inline: '%s'}
            claimToHeaders: [{claim: sub, header: x-user}]
        %s""".formatted(Issuer.NAME, Issuer.set(), more);
  }

  CheckResponse check(Call call) {
    return check(call.request());
  }

  CheckResponse check(CheckRequest request) {
    try {
      return CheckResponse.parseFrom(answer(request).get(30, TimeUnit.SECONDS));
    } catch (Exception e) {
      throw new AssertionError("no answer", e);
    }
  }

  CompletableFuture<byte[]> answer(CheckRequest request) {
    var answer = new CompletableFuture<byte[]>();
    service.check(request, new StreamObserver<>() {
      @Override
      public void onNext(byte[] bytes) {
        answer.complete(bytes);
      }

      @Override
      public void onError(Throwable error) {
        answer.completeExceptionally(error);
      }

      @Override
      public void onCompleted() {}
    });
    return answer;
  }

  /** The HTTP status that the client would see: 200 stands for a pass. */
  int status(Call call) {
    return status(check(call));
  }

  static int status(CheckResponse answer) {
    if (answer.getStatus().getCode() == 0) {
      return 200;
    }
    return answer.getDeniedResponse().getStatus().getCodeValue();
  }

  Decision last() {
    if (heard.isEmpty()) {
      await().until(() -> !heard.isEmpty()); // it hears of a decision after the caller does
    }
    return heard.getLast();
  }

  @Override
  public void close() {
    decisions.close();
    keys.close();
  }
}
