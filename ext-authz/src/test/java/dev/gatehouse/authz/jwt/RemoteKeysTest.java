package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.gatehouse.authz.jwt.KeySource.OnUnknownKid;
import dev.gatehouse.testkit.FakeClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a real HTTP server that counts, delays, breaks off and rotates. */
class RemoteKeysTest {
  private static final Duration CACHED = Duration.ofMinutes(5);
  private static final String ONE = Issuer.set();
  private static final String TWO = Issuer.set(
      List.of(Issuer.jwk(Issuer.rsa("one"), "one"), Issuer.jwk(Issuer.rsa("two"), "two")));

  private final FakeClock clock = new FakeClock(Issuer.NOW);
  private final AtomicInteger asked = new AtomicInteger();
  private final KeySources sources = new KeySources(clock, Duration.ofMillis(700));
  private volatile Answer answer = exchange -> send(exchange, 200, ONE);
  private HttpServer server;

  interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", exchange -> {
      asked.incrementAndGet();
      try (exchange) {
        answer.to(exchange);
      }
    });
    server.start();
  }

  @AfterEach
  void stop() {
    sources.close();
    server.stop(0);
  }

  @Test
  void keys_are_fetched_when_the_policy_is_read_and_known_from_then_on() {
    var keys = remote();
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Awaited.class);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    assertThat(asked).hasValue(1);
  }

  @Test
  void however_many_ask_there_is_one_fetch() throws InterruptedException {
    var release = new CountDownLatch(1);
    answer = exchange -> {
      await(release);
      send(exchange, 200, ONE);
    };
    var keys = remote();
    var all =
        java.util.stream.IntStream.range(0, 100).mapToObj(i -> keys.fetch()).toList();
    release.countDown();
    all.forEach(each -> each.orTimeout(5, TimeUnit.SECONDS).join());
    assertThat(asked).hasValue(1);
  }

  @Test
  void an_unknown_kid_fetches_at_most_once_a_cool_down() {
    var keys = remote();
    settle(keys);
    for (int i = 0; i < 1000; i++) {
      if (keys.onUnknownKid(clock.instant()) == OnUnknownKid.FETCH) {
        settle(keys);
      }
    }
    assertThat(asked).hasValue(1);
    assertThat(keys.onUnknownKid(clock.instant())).isEqualTo(OnUnknownKid.REFUSE);
    clock.advance(RemoteKeys.COOL_DOWN);
    for (int i = 0; i < 1000; i++) {
      if (keys.onUnknownKid(clock.instant()) == OnUnknownKid.FETCH) {
        settle(keys);
      }
    }
    assertThat(asked).hasValue(2);
  }

  @Test
  void a_rotation_is_found_by_an_unknown_kid_and_makes_a_new_generation() {
    var keys = remote();
    settle(keys);
    long before = known(keys).generation();
    answer = exchange -> send(exchange, 200, TWO);
    clock.advance(RemoteKeys.COOL_DOWN);
    assertThat(keys.onUnknownKid(clock.instant())).isEqualTo(OnUnknownKid.FETCH);
    settle(keys);
    assertThat(known(keys).generation()).isNotEqualTo(before);
  }

  @Test
  void the_same_answer_again_is_the_same_generation() {
    var keys = remote();
    settle(keys);
    long before = known(keys).generation();
    clock.advance(CACHED);
    settle(keys);
    assertThat(asked).hasValue(2);
    assertThat(known(keys).generation()).isEqualTo(before);
  }

  @Test
  void keys_are_refreshed_before_they_are_out_of_date_and_not_earlier() {
    var keys = remote();
    settle(keys);
    clock.advance(CACHED.multipliedBy(4).dividedBy(5).minusSeconds(1));
    sources.refresh();
    sources.settled().join();
    assertThat(asked).hasValue(1);
    clock.advance(Duration.ofSeconds(1));
    sources.refresh();
    sources.settled().join();
    assertThat(asked).hasValue(2);
  }

  @Test
  void old_keys_serve_on_while_the_provider_fails_but_not_for_ever() {
    var keys = remote();
    settle(keys);
    answer = exchange -> send(exchange, 500, "");
    clock.advance(CACHED.plus(RemoteKeys.STALE).minusSeconds(1));
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    // An unknown kid meanwhile is nobody's to judge: the provider may have rotated.
    assertThat(keys.onUnknownKid(clock.instant())).isEqualTo(OnUnknownKid.UNSURE);
    clock.advance(Duration.ofSeconds(1));
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Failed.class);
    // And it recovers.
    answer = exchange -> send(exchange, 200, ONE);
    clock.advance(RemoteKeys.COOL_DOWN);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Awaited.class);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
  }

  @Test
  void a_failure_is_remembered_for_the_cool_down() {
    answer = exchange -> send(exchange, 404, "");
    var keys = remote();
    settle(keys);
    settle(keys);
    assertThat(keys.keys(clock.instant()))
        .isEqualTo(new Keys.Failed("it answered 404 (expected: 200)"));
    assertThat(asked).hasValue(1);
  }

  @Test
  void a_redirect_is_not_followed() {
    answer = exchange -> {
      exchange.getResponseHeaders().set("location", "http://127.0.0.1:1/");
      send(exchange, 302, "");
    };
    failed("302");
  }

  @Test
  void an_answer_that_is_too_big_is_not_read_to_its_end() {
    answer = exchange -> send(exchange, 200, ONE + " ".repeat(KeySet.MAX_BYTES));
    failed("");
  }

  @Test
  void an_answer_that_breaks_off_is_none() {
    answer = exchange -> {
      exchange.sendResponseHeaders(200, 1000);
      exchange.getResponseBody().write('{');
      exchange.getResponseBody().flush();
      exchange.close();
    };
    failed("");
  }

  @Test
  void an_answer_that_trickles_is_given_up() {
    var release = new CountDownLatch(1);
    answer = exchange -> {
      exchange.sendResponseHeaders(200, 1000);
      exchange.getResponseBody().write('{');
      exchange.getResponseBody().flush();
      await(release);
    };
    failed("TimeoutException");
    release.countDown();
  }

  @Test
  void an_answer_that_is_no_key_set_is_a_failure() {
    answer = exchange -> send(exchange, 200, "<html>");
    failed("not a JWK set");
  }

  @Test
  void a_provider_that_does_not_listen_is_a_failure() {
    server.stop(0);
    failed("");
  }

  @Test
  void an_edit_of_the_policies_keeps_what_is_known() {
    var keys = remote();
    settle(keys);
    assertThat(remote()).isSameAs(keys);
    assertThat(asked).hasValue(1);
  }

  private void failed(String why) {
    var keys = remote();
    settle(keys);
    assertThat(keys.keys(clock.instant()))
        .isInstanceOfSatisfying(
            Keys.Failed.class, failed -> assertThat(failed.why()).contains(why));
  }

  private KeySource remote() {
    return sources.remote(
        URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/jwks"), CACHED);
  }

  private static void settle(KeySource keys) {
    keys.fetch().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private KeySet known(KeySource keys) {
    return ((Keys.Known) keys.keys(clock.instant())).set();
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    var bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody released the server");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
