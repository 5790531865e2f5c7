package dev.gatehouse.authz.jwt;

import static dev.gatehouse.authz.jwt.TestProvider.held;
import static dev.gatehouse.authz.jwt.TestProvider.keys;
import static dev.gatehouse.authz.jwt.TestProvider.set;
import static dev.gatehouse.authz.jwt.TestProvider.status;
import static dev.gatehouse.authz.jwt.TestProvider.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.testkit.FakeClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Kids that the known set has not: rotations and floods. A token is asked about as a decision does it, in rounds. */
class RotationTest {
  private static final Duration CACHED = Duration.ofMinutes(5);
  private static final int ROUNDS = 4;

  private final FakeClock clock = new FakeClock(Issuer.NOW);
  private final TestProvider provider = new TestProvider();
  private final KeySources sources =
      new KeySources(clock, Duration.ofMillis(700), Duration.ofDays(1), () -> 0.5);
  private KeySource keys;

  /** What comes of a token: a key is found (and it would verify), 401, or 503. */
  private enum Said {
    FOUND,
    REFUSED,
    UNSURE
  }

  @BeforeEach
  void know() {
    keys = sources.remote(new KeyAddress.At(provider.uri("/jwks")), CACHED, ClientTls.SYSTEM);
    land();
    assertThat(provider.asked()).isEqualTo(1);
  }

  @AfterEach
  void stop() {
    sources.close();
    provider.close();
  }

  @Test
  void a_rotation_right_after_a_fetch_is_found_by_the_first_token_and_makes_a_new_generation() {
    long before = known(keys.keys(clock.instant())).generation();
    provider.answer = keys("one", "two");
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(known(keys.keys(clock.instant())).generation()).isNotEqualTo(before);
    assertThat(provider.asked()).isEqualTo(2);
    assertThat(ask("one")).isEqualTo(Said.FOUND);
  }

  @Test
  void a_rotation_right_after_a_scheduled_refresh_is_found_at_once() {
    clock.advance(CACHED);
    sources.refresh();
    land();
    provider.answer = keys("two");
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(ask("one")).as("withdrawn").isNotEqualTo(Said.FOUND);
  }

  @Test
  void a_rotation_while_a_fetch_is_under_way_is_found_by_a_second_one() {
    var release = new CountDownLatch(1);
    var old = set("one");
    provider.answer = held(release, text(old, Map.of())); // answers what was true when it was asked
    clock.advance(CACHED);
    sources.refresh();
    await().until(() -> provider.asked() == 2);
    var asking = CompletableFuture.supplyAsync(() -> ask("two"));
    provider.answer = keys("one", "two");
    release.countDown();
    assertThat(asking).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(Said.FOUND);
    assertThat(provider.asked()).isEqualTo(3);
  }

  @Test
  void tokens_of_a_new_key_that_come_together_share_the_fetch() {
    var release = new CountDownLatch(1);
    provider.answer = held(release, keys("one", "two"));
    var first = CompletableFuture.supplyAsync(() -> ask("two"));
    await().until(() -> provider.asked() == 2);
    var second = CompletableFuture.supplyAsync(() -> ask("two"));
    release.countDown();
    assertThat(first).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(Said.FOUND);
    assertThat(second).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(Said.FOUND);
    clock.advance(RemoteKeys.COOL_DOWN);
    sources.refresh();
    land();
    assertThat(provider.asked()).as("nothing is left to look for").isEqualTo(2);
  }

  @Test
  void a_kid_that_a_later_fetch_did_not_bring_is_401_without_another_fetch() {
    assertThat(ask("bogus")).isEqualTo(Said.REFUSED);
    for (int i = 0; i < 100; i++) {
      assertThat(ask("bogus")).isEqualTo(Said.REFUSED);
    }
    assertThat(provider.asked()).isEqualTo(2);
    // It may be a key that is published late: it is looked for again.
    provider.answer = keys("one", "bogus");
    clock.advance(RemoteKeys.COOL_DOWN);
    assertThat(ask("bogus")).isEqualTo(Said.FOUND);
  }

  @Test
  void tokens_of_a_withdrawn_key_do_not_spend_the_chance_of_a_new_one() {
    for (int i = 0; i < 10; i++) {
      assertThat(ask("withdrawn")).isEqualTo(Said.REFUSED);
      clock.advance(RemoteKeys.COOL_DOWN);
    }
    assertThat(ask("withdrawn")).isEqualTo(Said.REFUSED);
    int before = provider.asked();
    provider.answer = keys("one", "two");
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(provider.asked()).isEqualTo(before + 1);
  }

  @Test
  void a_stream_of_random_kids_causes_one_fetch_a_cool_down() {
    int n = 0;
    for (int coolDown = 0; coolDown < 5; coolDown++) {
      for (int second = 0; second < 5; second++) {
        for (int i = 0; i < 50; i++) {
          var said = ask("random-" + n++);
          // Only whoever caused the fetch can be told that there is no such key.
          assertThat(said).isEqualTo(second == 0 && i == 0 ? Said.REFUSED : Said.UNSURE);
        }
        clock.advance(Duration.ofSeconds(1));
      }
    }
    assertThat(provider.asked()).isEqualTo(1 + 5);
  }

  @Test
  void a_rotation_under_a_flood_of_random_kids_refuses_no_token_and_is_found_after_the_cool_down() {
    int n = 0;
    for (int i = 0; i < 3000; i++) {
      ask("random-" + n++);
    }
    provider.answer = keys("one", "two");
    assertThat(ask("two")).as("it cannot be said yet").isEqualTo(Said.UNSURE);
    assertThat(ask("one")).as("old keys are not touched").isEqualTo(Said.FOUND);
    clock.advance(RemoteKeys.COOL_DOWN);
    for (int i = 0; i < 1000; i++) {
      ask("random-" + n++); // the flood's own fetch brings it
    }
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(provider.asked()).isEqualTo(3);
  }

  @Test
  void a_kid_that_had_to_wait_is_looked_for_without_being_asked_again() {
    ask("random");
    provider.answer = keys("one", "two");
    assertThat(ask("two")).isEqualTo(Said.UNSURE);
    clock.advance(RemoteKeys.COOL_DOWN);
    sources.refresh();
    land();
    assertThat(provider.asked()).isEqualTo(3);
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(provider.asked()).isEqualTo(3);
  }

  @Test
  void a_rotation_while_the_provider_is_down_is_503_for_new_tokens_until_it_is_back() {
    provider.answer = status(503);
    for (int i = 0; i < 100; i++) {
      assertThat(ask("two")).isEqualTo(Said.UNSURE);
      assertThat(ask("one")).isEqualTo(Said.FOUND);
    }
    assertThat(provider.asked()).isEqualTo(2);
    for (int second = 0; second < 120; second++) {
      clock.advance(Duration.ofSeconds(1));
      sources.refresh();
      land();
      assertThat(ask("two")).isEqualTo(Said.UNSURE);
    }
    assertThat(provider.asked()).isBetween(6, 8);
    provider.answer = keys("two");
    clock.advance(RemoteKeys.MAX_BACK_OFF);
    sources.refresh();
    land();
    assertThat(ask("two")).isEqualTo(Said.FOUND);
  }

  @Test
  void keys_for_an_unknown_kid_are_asked_of_the_origin_whatever_caches_hold() {
    provider.answer = text(set("one"), Map.of("etag", "\"v1\""));
    clock.advance(CACHED);
    sources.refresh();
    land();
    ask("two");
    assertThat(provider.lastRequest()).doesNotContainKey("If-none-match");
    assertThat(provider.lastRequest().get("Cache-control")).containsExactly("no-cache");
    clock.advance(CACHED);
    sources.refresh();
    land();
    assertThat(provider.lastRequest())
        .containsKey("If-none-match")
        .doesNotContainKey("Cache-control");
  }

  @Test
  void a_look_at_an_older_set_is_repeated_and_no_reason_to_refuse() {
    var older = known(keys.keys(clock.instant()));
    assertThat(ask("two")).isEqualTo(Said.REFUSED);
    provider.answer = keys("one", "two");
    clock.advance(RemoteKeys.COOL_DOWN);
    assertThat(ask("two")).isEqualTo(Said.FOUND);
    assertThat(keys.onUnknownKid(older, token("two"), clock.instant()))
        .isEqualTo(KeySource.OnUnknownKid.FETCH);
    assertThat(keys.fetch()).isDone();
  }

  private static CompactJws token(String kid) {
    try {
      var header = "{\"alg\":\"RS256\",\"kid\":\"" + kid + "\"}";
      var claims = "{\"iss\":\"" + Issuer.NAME + "\",\"exp\":" + 1767229200 + "}";
      var compact = Issuer.base64(header) + "." + Issuer.base64(claims) + "." + SIGNATURE;
      return TokenReader.read(compact.getBytes(StandardCharsets.US_ASCII)).jws();
    } catch (BadToken e) {
      throw new AssertionError(e);
    }
  }

  private Said ask(String kid) {
    var token = token(kid);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        var now = clock.instant();
        var set = known(keys.keys(now));
        if (!set.candidates(token).isEmpty()) {
          return Said.FOUND;
        }
        switch (keys.onUnknownKid(set, token, now)) {
          case REFUSE -> {
            return Said.REFUSED;
          }
          case UNSURE -> {
            return Said.UNSURE;
          }
          case FETCH -> land();
        }
      }
      return Said.UNSURE;
    } catch (BadToken e) {
      throw new AssertionError(e);
    }
  }

  private static final String SIGNATURE = Issuer.base64("x".repeat(256));

  private void land() {
    keys.fetch().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static KeySet known(Keys keys) {
    return ((Keys.Known) keys).set();
  }
}
