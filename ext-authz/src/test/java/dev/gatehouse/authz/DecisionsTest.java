package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.EventLoops;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.jsonwebtoken.Jwts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Decisions that need what is not there yet. */
class DecisionsTest {
  private final AtomicInteger asked = new AtomicInteger();
  private final CompletableFuture<Void> release = new CompletableFuture<>();
  private volatile String keys = Issuer.set();
  private volatile boolean held;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", exchange -> {
      asked.incrementAndGet();
      if (held) {
        release.join();
      }
      var body = keys.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(keys.isEmpty() ? 500 : 200, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }

  @AfterEach
  void stop() {
    release.complete(null);
    server.stop(0);
  }

  @Test
  void a_request_waits_for_the_keys_and_is_then_decided() {
    // What a JVM does for the first time takes longer than a decision waits.
    try (var warm = Gate.of(Gate.policy(Gate.jwt("")))) {
      assertThat(warm.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(200);
    }
    held = true;
    try (var gate = gate()) {
      var answer = gate.answer(Call.get("/orders").bearer(Issuer.token()).request());
      assertThat(answer).isNotDone();
      release.complete(null);
      assertThat(Gate.status(parse(answer))).isEqualTo(200);
      assertThat(asked).hasValue(1);
    }
  }

  @Test
  void keys_that_do_not_come_in_time_are_503_before_envoy_gives_up() {
    assertThat(Decisions.WITHIN).isLessThan(Duration.ofMillis(500)); // What Envoy waits.
    held = true;
    try (var gate = Gate.within(Decisions.WITHIN, policy())) {
      long begun = System.nanoTime();
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(503);
      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isBetween(Decisions.WITHIN.minusMillis(5), Duration.ofSeconds(5));
      assertThat(gate.last().outcome()).isEqualTo(Outcome.UNAVAILABLE);
      assertThat(gate.last().reason()).isEqualTo("timeout");
    }
  }

  @Test
  void keys_that_cannot_be_had_are_503_for_their_provider_and_401_for_no_token() {
    keys = "";
    try (var gate = gate()) {
      for (int i = 0; i < 20; i++) {
        assertThat(gate.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(503);
      }
      assertThat(asked).hasValue(1);
      assertThat(gate.status(Call.get("/orders"))).isEqualTo(401);
      assertThat(gate.status(Call.get("/orders").bearer("x"))).isEqualTo(401);
      // And when they can: a pass.
      keys = Issuer.set();
      gate.clock.advance(Duration.ofSeconds(5));
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(200);
    }
  }

  @Test
  void a_rotated_key_is_fetched_once_and_random_kids_are_no_amplifier() {
    try (var gate = gate()) {
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(200);
      keys = Issuer.set(
          List.of(Issuer.jwk(Issuer.rsa("one"), "one"), Issuer.jwk(Issuer.rsa("two"), "two")));
      gate.clock.advance(Duration.ofSeconds(5));
      assertThat(gate.status(Call.get("/orders").bearer(ofTwo("two")))).isEqualTo(200);
      assertThat(asked).hasValue(2);
      // The chance of this cool-down is spent: whether these are newer keys nobody can say, so it
      // is no 401.
      for (int i = 0; i < 30; i++) {
        assertThat(gate.status(Call.get("/orders").bearer(ofTwo("random-" + i))))
            .isEqualTo(503);
      }
      assertThat(asked).hasValue(2);
      gate.clock.advance(Duration.ofSeconds(5));
      var bogus = Call.get("/orders").bearer(ofTwo("bogus"));
      assertThat(gate.status(bogus)).isEqualTo(401);
      assertThat(gate.status(bogus)).isEqualTo(401);
      assertThat(asked).hasValue(3);
    }
  }

  @Test
  void keys_are_found_at_the_issuer_and_an_authority_that_is_not_there_is_an_error_in_its_place() {
    var policy = """
        apiVersion: gatehouse.dev/v1alpha1
        kind: AuthPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
          jwt:
            providers:
            - name: corp
              issuer: http://127.0.0.1:%d
              remoteJWKS: {%s}
        """;
    int port = server.getAddress().getPort();
    var issuer = "http://127.0.0.1:" + port;
    server.createContext("/.well-known/openid-configuration", exchange -> {
      var body = "{\"issuer\":\"%1$s\",\"jwks_uri\":\"%1$s/keys\"}".formatted(issuer);
      exchange.sendResponseHeaders(200, body.length());
      exchange.getResponseBody().write(body.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    try (var gate = Gate.of(policy.formatted(port, "cacheDuration: 5m"))) {
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token("iss", issuer))))
          .isEqualTo(200);
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token()))).isEqualTo(401);
    }
    var tls = "tls: {caCertificateRefs: [{kind: ConfigMap, name: idp}]}";
    try (var gate = Gate.flawed(policy.formatted(port, tls))) {
      assertThat(gate.problems.all())
          .anySatisfy(problem -> assertThat(problem.toString())
              .contains("spec.jwt.providers[0].remoteJWKS.tls.caCertificateRefs[0]")
              .contains("ConfigMap \"shop/idp\""));
      assertThat(gate.status(Call.get("/orders").bearer(Issuer.token("iss", issuer))))
          .isEqualTo(503);
    }
  }

  @Test
  void a_key_that_is_withdrawn_takes_the_remembered_tokens_with_it() {
    try (var gate = gate()) {
      var call = Call.get("/orders").bearer(Issuer.token());
      assertThat(gate.status(call)).isEqualTo(200);
      keys = Issuer.set(List.of(Issuer.jwk(Issuer.rsa("two"), "two")));
      gate.clock.advance(Duration.ofMinutes(5));
      gate.keys.settled().join();
      // A fetch begins by itself within a second; here the unknown kid of another token brings it.
      assertThat(gate.status(Call.get("/orders").bearer(ofTwo("two")))).isEqualTo(200);
      assertThat(gate.status(call)).isEqualTo(401);
    }
  }

  @Test
  void a_decision_comes_back_on_the_loop_that_it_left() throws Exception {
    held = true;
    var es384 = Issuer.set(List.of(Issuer.jwk(Issuer.pair(Jwts.SIG.ES384), "ES384")));
    keys = es384;
    try (var loops = EventLoops.start(2);
        var gate = gate()) {
      for (var loop : loops.all()) {
        // A token of its own for each: keys that are awaited first, then a signature that takes
        // long.
        var request = Call.get("/orders")
            .bearer(Issuer.token(Jwts.SIG.ES384, "jti", loop.toString()))
            .request();
        var on = new CompletableFuture<Thread>();
        var answer = new CompletableFuture<byte[]>();
        loop.execute(() -> {
          var _ = gate.answer(request).thenAccept(bytes -> {
            on.complete(Thread.currentThread());
            answer.complete(bytes);
          });
        });
        var home = loop.submit(Thread::currentThread).get();
        release.complete(null);
        assertThat(on.get(30, TimeUnit.SECONDS)).isSameAs(home);
        assertThat(Gate.status(parse(answer))).isEqualTo(200);
      }
    }
  }

  @Test
  void a_slow_signature_that_is_bad_is_401() {
    keys = Issuer.set(List.of(Issuer.jwk(Issuer.pair(Jwts.SIG.ES384), "ES384")));
    try (var gate = gate()) {
      var good = Issuer.token(Jwts.SIG.ES384).split("\\.");
      var other = Issuer.token(Jwts.SIG.ES384, "sub", "mallory").split("\\.");
      var call = Call.get("/orders");
      assertThat(gate.status(call.bearer(String.join(".", good)))).isEqualTo(200);
      assertThat(gate.status(call.bearer(good[0] + "." + other[1] + "." + good[2])))
          .isEqualTo(401);
    }
  }

  private Gate gate() {
    return Gate.of(policy());
  }

  private String policy() {
    return Gate.policy("""
        jwt:
          providers:
          - name: corp
            issuer: %s
            remoteJWKS: {uri: "http://127.0.0.1:%d/jwks"}
        """.formatted(Issuer.NAME, server.getAddress().getPort()));
  }

  private static String ofTwo(String kid) {
    return Issuer.signed(
        "SHA256withRSA",
        Issuer.rsa("two").getPrivate(),
        "{\"alg\":\"RS256\",\"kid\":\"" + kid + "\"}",
        "{\"iss\":\"" + Issuer.NAME + "\",\"exp\":1767229200}");
  }

  private static CheckResponse parse(CompletableFuture<byte[]> answer) {
    try {
      return CheckResponse.parseFrom(answer.get(30, TimeUnit.SECONDS));
    } catch (Exception e) {
      throw new AssertionError("no answer", e);
    }
  }
}
