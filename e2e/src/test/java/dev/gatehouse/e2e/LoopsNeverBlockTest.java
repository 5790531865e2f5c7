package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.Shop;
import dev.gatehouse.sandbox.Upstream;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.testkit.LoopGuard;
import dev.gatehouse.testkit.RedisFixture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The demo's shop behind a real Envoy, its counters in a real Redis: whatever is asked, no event loop parks, sleeps, waits for a
 * monitor, reads a file or uses a blocking socket.
 */
class LoopsNeverBlockTest {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir
  Path work;

  @Test
  void no_event_loop_blocks_while_requests_are_decided_changed_and_counted() throws Exception {
    var policies = Distribution.demoPolicies(work.resolve("policies"));
    var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (var redis = RedisFixture.start();
        var issuer = Issuer.demo();
        var upstream = Upstream.start(loopback, new Shop());
        var gate = Gate.open(
            new Gate.Settings(
                List.of(policies),
                Files.createDirectory(work.resolve("envoy")),
                EnvoyBinary.find(System.getenv(), System.err::println),
                0,
                backend -> upstream.port(),
                ExtAuthzSettings.defaults(),
                RateLimitSettings.of(redis.url(), Duration.ofMillis(500), redis.freshPrefix()),
                ExtProcSettings.defaults(),
                DecisionListener.NONE,
                UnaryOperator.identity(),
                null),
            (reload, problems) -> {})) {
      var shop = "http://127.0.0.1:"
          + gate.endpoints().values().iterator().next().address().getPort();
      var statuses = new TreeMap<Integer, Integer>();
      ask(shop, issuer, "before-", 5, statuses);
      statuses.clear();
      try (var guard = LoopGuard.watch(gate.loops(), Duration.ofSeconds(2))) {
        ask(shop, issuer, "user-", 40, statuses);
        assertThat(guard.violations()).isEmpty();
      }
      assertThat(statuses).containsKeys(200, 201, 401, 403, 429);
    }
  }

  /** For each user: six reads (of which one is too many), a write, a visit without a token, one to the back office. */
  private static void ask(
      String shop, Issuer issuer, String prefix, int users, Map<Integer, Integer> statuses)
      throws IOException, InterruptedException {
    for (var i = 0; i < users; i++) {
      var token = token(issuer, prefix + i);
      for (var read = 0; read < 6; read++) {
        send(request(shop, "/orders").header("authorization", "Bearer " + token), statuses);
      }
      send(
          request(shop, "/orders")
              .header("authorization", "Bearer " + token)
              .header("content-type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString("{\"item\":1}")),
          statuses);
      send(request(shop, "/orders"), statuses);
      send(request(shop, "/admin").header("authorization", "Bearer " + token), statuses);
      send(request(shop, "/public"), statuses);
    }
  }

  private static HttpRequest.Builder request(String shop, String path) {
    return HttpRequest.newBuilder(URI.create(shop + path));
  }

  private static void send(HttpRequest.Builder request, Map<Integer, Integer> statuses)
      throws IOException, InterruptedException {
    var status =
        HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode();
    statuses.merge(status, 1, Integer::sum);
  }

  private static String token(Issuer issuer, String user) {
    var now = Instant.now().getEpochSecond();
    return issuer.token(Map.of(
        "iss",
        "https://issuer.shop.example",
        "aud",
        "shop",
        "sub",
        user,
        "scope",
        "orders:read orders:write",
        "iat",
        now,
        "exp",
        now + 600));
  }
}
