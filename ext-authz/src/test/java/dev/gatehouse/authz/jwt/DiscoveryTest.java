package dev.gatehouse.authz.jwt;

import static dev.gatehouse.authz.jwt.TestProvider.keys;
import static dev.gatehouse.authz.jwt.TestProvider.send;
import static dev.gatehouse.authz.jwt.TestProvider.set;
import static dev.gatehouse.authz.jwt.TestProvider.status;
import static dev.gatehouse.authz.jwt.TestProvider.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.testkit.FakeClock;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** OpenID Connect Discovery against a real HTTP server. */
class DiscoveryTest {
  private static final Duration CACHED = Duration.ofMinutes(5);

  private final FakeClock clock = new FakeClock(Issuer.NOW);
  private final TestProvider provider = new TestProvider();
  private final KeySources sources =
      new KeySources(clock, Duration.ofMillis(700), Duration.ofDays(1), () -> 0.5);
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final String issuer = "http://127.0.0.1:" + provider.port() + "/realms/shop";
  private volatile TestProvider.Answer configuration = names(issuer, provider.uri("/jwks"));

  DiscoveryTest() {
    provider.at("/realms/shop" + KeyAddress.WELL_KNOWN, exchange -> {
      var tag = exchange.getRequestHeaders().getFirst("if-none-match");
      asked.add(tag == null ? "" : tag);
      configuration.to(exchange);
    });
  }

  @AfterEach
  void stop() {
    sources.close();
    provider.close();
  }

  @Test
  void the_issuer_says_where_its_keys_are() throws BadKeySet {
    var keys = remote();
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    assertThat(asked).hasSize(1);
    assertThat(provider.asked()).isEqualTo(1);
  }

  @Test
  void its_keys_may_be_on_another_host() throws BadKeySet {
    try (var other = new TestProvider()) {
      configuration = names(issuer, URI.create("http://localhost:" + other.port() + "/jwks"));
      assertThat(remote().keys(clock.instant())).isInstanceOf(Keys.Known.class);
      assertThat(other.asked()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"%s/", "%s/other", "https://idp.example.com", "", "HTTP%s"})
  void a_configuration_of_another_issuer_is_none(String other) throws BadKeySet {
    var named = other.startsWith("HTTP") ? "HTTP" + issuer.substring(4) : other.formatted(issuer);
    configuration = names(named, provider.uri("/jwks"));
    failed("its configuration: issuer \"" + named + "\" (expected: \"" + issuer + "\" exactly)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"jwks_uri\":\"http://127.0.0.1/jwks\"}",
        "{\"issuer\":\"%1$s\",\"issuer\":\"%1$s\",\"jwks_uri\":\"http://127.0.0.1/jwks\"}",
        "{\"issuer\":[\"%1$s\"],\"jwks_uri\":\"http://127.0.0.1/jwks\"}",
        "{\"issuer\":\"%1$s\"}",
        "{\"issuer\":\"%1$s\",\"jwks_uri\":\"file:///etc/passwd\"}",
        "{\"issuer\":\"%1$s\",\"jwks_uri\":\"http://user:pass@127.0.0.1/jwks\"}",
        "{\"issuer\":\"%1$s\",\"jwks_uri\":\"/jwks\"}",
        "{\"issuer\":\"%1$s\",\"jwks_uri\":[\"http://127.0.0.1/jwks\"]}",
        "{\"issuer\":\"%1$s\",\"jwks_uri\":\"http://127.0.0.1/ jwks\"}",
        "<html>",
        "[]"
      })
  void a_configuration_that_is_not_what_it_should_be_is_none(String body) throws BadKeySet {
    configuration = text(body.formatted(issuer), Map.of());
    failed("its configuration: ");
  }

  @Test
  void a_redirect_of_the_configuration_is_not_followed() throws BadKeySet {
    configuration = exchange -> send(exchange, 302, "", Map.of("location", issuer));
    failed("its configuration: it answered 302 (expected: 200)");
  }

  @Test
  void the_configuration_is_kept_and_asked_about_conditionally() throws BadKeySet {
    var body = configuration(issuer, provider.uri("/jwks"));
    configuration = text(body, Map.of("etag", "\"c1\"", "cache-control", "max-age=280"));
    var keys = remote();
    clock.advance(Duration.ofSeconds(240)); // the keys are due, the configuration is not
    settle(keys);
    assertThat(asked).containsExactly("");
    assertThat(provider.asked()).isEqualTo(2);
    configuration = status(304);
    clock.advance(Duration.ofSeconds(240));
    settle(keys);
    assertThat(asked).containsExactly("", "\"c1\"");
    assertThat(provider.asked()).isEqualTo(3);
  }

  @Test
  void a_configuration_that_fails_for_a_while_is_believed_and_does_not_stop_a_rotation()
      throws BadKeySet {
    var keys = remote();
    configuration = status(500);
    provider.answer = keys("two");
    clock.advance(CACHED);
    settle(keys);
    assertThat(provider.asked()).isEqualTo(2);
    assertThat(keys.keys(clock.instant()))
        .isInstanceOfSatisfying(
            Keys.Known.class, known -> assertThat(known.set().generation()).isPositive());
    clock.advance(CACHED.plus(RemoteKeys.STALE));
    settle(keys);
    assertThat(keys.keys(clock.instant()))
        .isEqualTo(new Keys.Failed("its configuration: it answered 500 (expected: 200)"));
    assertThat(provider.asked()).isEqualTo(2);
  }

  @Test
  void keys_that_moved_are_found_where_the_configuration_says_now() throws BadKeySet {
    configuration = text(configuration(issuer, provider.uri("/jwks")), Map.of());
    var keys = remote();
    provider.at("/moved", text(set("two"), Map.of()));
    configuration = names(issuer, provider.uri("/moved"));
    provider.answer = status(404);
    clock.advance(Duration.ofSeconds(240)); // the configuration would be believed for a minute yet
    settle(keys);
    clock.advance(RemoteKeys.COOL_DOWN);
    settle(keys);
    assertThat(keys.fetch()).isDone();
    assertThat(asked).hasSize(2);
    assertThat(sources.failing()).isZero();
  }

  @Test
  void the_address_of_the_configuration_is_the_issuers_with_the_well_known_path() throws BadKeySet {
    assertThat(KeyAddress.discoveredBy("https://idp.example.com/"))
        .isEqualTo(new KeyAddress.DiscoveredBy(
            "https://idp.example.com/",
            URI.create("https://idp.example.com/.well-known/openid-configuration")));
    assertThat(KeyAddress.discoveredBy("https://idp.example.com/a/b"))
        .isEqualTo(new KeyAddress.DiscoveredBy(
            "https://idp.example.com/a/b",
            URI.create("https://idp.example.com/a/b/.well-known/openid-configuration")));
    for (var bad : new String[] {
      null, "corp", "urn:corp", "https://a/?q=1", "https://a/#f", "https://u@a", "a b"
    }) {
      assertThatThrownBy(() -> KeyAddress.discoveredBy(bad)).isInstanceOf(BadKeySet.class);
    }
    for (var bad : List.of("file:///x", "https:///x", "jwks", "https://u:p@a/x")) {
      assertThatThrownBy(() -> KeyAddress.at(URI.create(bad))).isInstanceOf(BadKeySet.class);
    }
  }

  @Test
  void an_issuer_with_https_has_no_keys_over_http() {
    var body = configuration("https://idp.example.com", URI.create("http://idp.example.com/jwks"));
    var address = new KeyAddress.DiscoveredBy(
        "https://idp.example.com", URI.create("https://idp.example.com" + KeyAddress.WELL_KNOWN));
    assertThatThrownBy(() -> Discovery.keysIn(body, address))
        .hasMessageContaining(
            "jwks_uri \"http://idp.example.com/jwks\" (expected: https://host/path)");
  }

  private void failed(String why) throws BadKeySet {
    assertThat(remote().keys(clock.instant()))
        .isInstanceOfSatisfying(
            Keys.Failed.class, failed -> assertThat(failed.why()).contains(why));
    assertThat(provider.asked()).isZero();
  }

  private KeySource remote() throws BadKeySet {
    var keys = sources.remote(KeyAddress.discoveredBy(issuer), CACHED, ClientTls.SYSTEM);
    settle(keys);
    return keys;
  }

  private static void settle(KeySource keys) {
    keys.fetch().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static TestProvider.Answer names(String issuer, URI keys) {
    return text(configuration(issuer, keys), Map.of());
  }

  private static String configuration(String issuer, URI keys) {
    return "{\"issuer\":\"" + issuer + "\",\"jwks_uri\":\"" + keys
        + "\",\"response_types_supported\":[\"code\"]}";
  }
}
