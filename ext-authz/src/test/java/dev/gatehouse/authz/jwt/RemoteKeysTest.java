package dev.gatehouse.authz.jwt;

import static dev.gatehouse.authz.jwt.TestProvider.held;
import static dev.gatehouse.authz.jwt.TestProvider.keys;
import static dev.gatehouse.authz.jwt.TestProvider.send;
import static dev.gatehouse.authz.jwt.TestProvider.set;
import static dev.gatehouse.authz.jwt.TestProvider.status;
import static dev.gatehouse.authz.jwt.TestProvider.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.testkit.FakeClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Fetching, keeping and refreshing, against a real HTTP server. */
class RemoteKeysTest {
  private static final Duration CACHED = Duration.ofMinutes(5);
  private static final Duration NEVER = Duration.ofDays(1);

  private final FakeClock clock = new FakeClock(Issuer.NOW);
  private final TestProvider provider = new TestProvider();
  private final List<KeySources> opened = new ArrayList<>();
  private final KeySources sources = sources(0.5);

  /** As a plan keeps them: what nobody names any more is forgotten. */
  private final List<KeySource> kept = new ArrayList<>();

  @AfterEach
  void stop() {
    opened.forEach(KeySources::close);
    provider.close();
  }

  @Test
  void keys_are_fetched_when_the_policy_is_read_and_known_from_then_on() {
    var keys = remote();
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Awaited.class);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    assertThat(provider.asked()).isEqualTo(1);
  }

  @Test
  void however_many_ask_there_is_one_fetch() {
    var release = new CountDownLatch(1);
    provider.answer = held(release, keys("one"));
    var keys = remote();
    var all = IntStream.range(0, 100).mapToObj(i -> keys.fetch()).toList();
    release.countDown();
    all.forEach(each -> each.orTimeout(5, TimeUnit.SECONDS).join());
    assertThat(provider.asked()).isEqualTo(1);
  }

  @Test
  void an_etag_is_sent_back_and_a_304_keeps_the_generation() {
    provider.answer = text(set("one"), Map.of("etag", "\"v1\""));
    var keys = remote();
    settle(keys);
    assertThat(provider.lastRequest()).doesNotContainKeys("If-none-match", "If-modified-since");
    long before = known(keys).generation();

    provider.answer = status(304);
    due(CACHED);
    assertThat(provider.lastRequest().get("If-none-match")).containsExactly("\"v1\"");
    assertThat(known(keys).generation()).isEqualTo(before);

    // And it is fresh again, asked about with the same tag.
    clock.advance(CACHED.plus(RemoteKeys.STALE).minusSeconds(1));
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    settle(keys);
    assertThat(provider.lastRequest().get("If-none-match")).containsExactly("\"v1\"");
  }

  @Test
  void a_date_of_modification_is_sent_back() {
    var date = "Thu, 01 Jan 2026 00:00:00 GMT";
    provider.answer = text(set("one"), Map.of("last-modified", date));
    var keys = remote();
    settle(keys);
    provider.answer = status(304);
    due(CACHED);
    assertThat(provider.lastRequest().get("If-modified-since")).containsExactly(date);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
  }

  @Test
  void a_304_that_was_not_asked_for_is_a_failure() {
    provider.answer = status(304);
    failed("it answered 304 (expected: 200)");
  }

  @Test
  void a_tag_that_is_none_is_not_sent_back() {
    provider.answer = text(set("one"), Map.of("etag", "v1 {evil}"));
    settle(remote());
    due(CACHED);
    assertThat(provider.asked()).isEqualTo(2);
    assertThat(provider.lastRequest()).doesNotContainKey("If-none-match");
  }

  @Test
  void the_same_answer_again_is_the_same_generation() {
    var keys = remote();
    settle(keys);
    long before = known(keys).generation();
    due(CACHED);
    assertThat(provider.asked()).isEqualTo(2);
    assertThat(known(keys).generation()).isEqualTo(before);
  }

  @Test
  void keys_are_refreshed_before_they_are_out_of_date_and_not_earlier() {
    var keys = remote();
    settle(keys);
    due(CACHED.multipliedBy(8).dividedBy(10).minusSeconds(1));
    assertThat(provider.asked()).isEqualTo(1);
    due(Duration.ofSeconds(1));
    assertThat(provider.asked()).isEqualTo(2);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
  }

  @Test
  void replicas_do_not_refresh_all_at_once() {
    for (var random : List.of(0.0, 0.25, 0.5, 0.75, 1.0)) {
      settle(remote(sources(random)));
    }
    var asked = new ArrayList<Integer>();
    clock.advance(Duration.ofSeconds(209));
    for (int i = 0; i < 5; i++) {
      opened.forEach(KeySources::refresh);
      opened.forEach(RemoteKeysTest::settled);
      asked.add(provider.asked());
      clock.advance(Duration.ofSeconds(15));
    }
    // From 70 to 90 % of the five minutes: at 210, 225, 240, 255 and 270 s.
    assertThat(asked).containsExactly(5, 6, 7, 8, 9);
  }

  @Test
  void a_shorter_lifetime_that_the_provider_asks_for_is_honoured() {
    provider.answer = text(set("one"), Map.of("cache-control", "public, max-age=100"));
    settle(remote());
    due(Duration.ofSeconds(79));
    assertThat(provider.asked()).isEqualTo(1);
    due(Duration.ofSeconds(1));
    assertThat(provider.asked()).isEqualTo(2);
  }

  @Test
  void a_longer_one_is_not_for_the_policy_says_how_old_keys_may_get() {
    provider.answer = text(set("one"), Map.of("cache-control", "max-age=31536000"));
    settle(remote());
    due(Duration.ofSeconds(240));
    assertThat(provider.asked()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"max-age=0", "no-store", "no-cache"})
  void keys_that_may_not_be_kept_are_kept_for_half_a_minute(String said) {
    provider.answer = text(set("one"), Map.of("cache-control", said));
    settle(remote());
    due(Duration.ofSeconds(23));
    assertThat(provider.asked()).isEqualTo(1);
    due(Duration.ofSeconds(1));
    assertThat(provider.asked()).isEqualTo(2);
  }

  @Test
  void old_keys_serve_on_while_the_provider_fails_but_not_for_ever() {
    var keys = remote();
    settle(keys);
    provider.answer = status(500);
    clock.advance(CACHED.plus(RemoteKeys.STALE).minusSeconds(1));
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    clock.advance(Duration.ofSeconds(1));
    assertThat(keys.keys(clock.instant()))
        .isEqualTo(new Keys.Failed("it answered 500 (expected: 200)"));
    // And it recovers.
    provider.answer = keys("one");
    clock.advance(RemoteKeys.COOL_DOWN);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Awaited.class);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
  }

  @Test
  void a_provider_that_fails_is_asked_less_and_less_often_but_always_again() {
    provider.answer = status(404);
    var keys = remote(sources(1));
    settle(keys);
    var after = new ArrayList<Integer>();
    int seen = provider.asked();
    for (int second = 1; second <= 130; second++) {
      clock.advance(Duration.ofSeconds(1));
      for (int i = 0; i < 3; i++) {
        settle(keys); // whoever asks, however often
      }
      if (provider.asked() > seen) {
        after.add(second);
        seen = provider.asked();
      }
    }
    assertThat(after).containsExactly(5, 15, 35, 65, 95, 125);
    provider.answer = keys("one");
    clock.advance(RemoteKeys.MAX_BACK_OFF);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
  }

  @Test
  void the_log_has_a_line_for_each_change_and_none_for_each_attempt_nor_any_key() {
    var lines = new ListAppender<ILoggingEvent>();
    var logger = (Logger) LoggerFactory.getLogger(RemoteKeys.class);
    lines.start();
    logger.addAppender(lines);
    try {
      var uri = provider.uri("/jwks");
      var address = new KeyAddress.At(URI.create(uri + "?secret=hidden"));
      provider.answer = keys("one");
      var keys = sources.remote(address, CACHED, ClientTls.SYSTEM);
      settle(keys);
      provider.answer = status(500);
      for (int minute = 0; minute < 180; minute++) {
        clock.advance(Duration.ofMinutes(1));
        settle(keys);
      }
      provider.answer = keys("one");
      clock.advance(Duration.ofMinutes(1));
      settle(keys);
      assertThat(lines.list.stream()
              .map(ILoggingEvent::getFormattedMessage)
              .filter(line -> line.contains(String.valueOf(provider.port()))))
          .containsExactly(
              "keys of " + uri + " are new",
              "keys of " + uri
                  + " could not be had: it answered 500 (expected: 200); the old ones serve on",
              "keys of " + uri
                  + " could not be had: it answered 500 (expected: 200); requests of this provider get 503",
              "keys of " + uri + " can be had again, and are the same");
    } finally {
      logger.detachAppender(lines);
    }
  }

  @Test
  void a_redirect_is_not_followed() {
    provider.at("/elsewhere", keys("one"));
    provider.answer = exchange ->
        send(exchange, 302, "", Map.of("location", provider.uri("/elsewhere").toString()));
    failed("it answered 302 (expected: 200)");
  }

  @Test
  void an_answer_that_is_too_big_is_not_read_to_its_end() {
    provider.answer = text(set("one") + " ".repeat(KeySet.MAX_BYTES), Map.of());
    failed("exceeds");
  }

  @Test
  void an_answer_without_a_length_is_bounded_too() throws InterruptedException {
    var cut = new CountDownLatch(1);
    provider.answer = exchange -> {
      exchange.sendResponseHeaders(200, 0);
      try {
        for (int i = 0; i < 10_000; i++) {
          exchange.getResponseBody().write(new byte[64 << 10]);
        }
      } catch (IOException e) {
        cut.countDown(); // the connection was closed on us
      }
    };
    failed("exceeds");
    assertThat(cut.await(5, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void an_answer_that_breaks_off_is_none() {
    provider.answer = exchange -> {
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
    provider.answer = exchange -> {
      exchange.sendResponseHeaders(200, 1000);
      exchange.getResponseBody().write('{');
      exchange.getResponseBody().flush();
      TestProvider.await(release);
    };
    failed("TimeoutException");
    release.countDown();
  }

  @Test
  void an_answer_that_does_not_begin_is_given_up() {
    var release = new CountDownLatch(1);
    provider.answer = held(release, keys("one"));
    failed("");
    release.countDown();
  }

  @Test
  void an_answer_that_is_no_key_set_is_a_failure_and_the_old_keys_serve_on() {
    provider.answer = text("<html>", Map.of());
    failed("not a JWK set");
    provider.answer = keys("one");
    clock.advance(RemoteKeys.COOL_DOWN);
    var keys = remote();
    settle(keys);
    long before = known(keys).generation();
    provider.answer = text("{\"keys\":[]}", Map.of("etag", "\"bad\""));
    due(CACHED);
    assertThat(known(keys).generation()).isEqualTo(before);
    // What was refused is not asked about conditionally: a 304 would keep us from ever reading
    // better.
    provider.answer = keys("one", "two");
    due(RemoteKeys.COOL_DOWN);
    assertThat(provider.lastRequest()).doesNotContainKey("If-none-match");
    assertThat(known(keys).generation()).isNotEqualTo(before);
  }

  @Test
  void a_compressed_answer_is_not_asked_for_and_not_taken() throws IOException {
    var zipped = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(zipped)) {
      gzip.write(set("one").getBytes(StandardCharsets.UTF_8));
    }
    provider.answer = exchange -> {
      exchange.getResponseHeaders().set("content-encoding", "gzip");
      exchange.sendResponseHeaders(200, zipped.size());
      exchange.getResponseBody().write(zipped.toByteArray());
    };
    failed("compressed");
    assertThat(provider.lastRequest().get("Accept-encoding")).containsExactly("identity");
  }

  @Test
  void a_provider_that_does_not_listen_is_a_failure() {
    var gone = new TestProvider();
    gone.close();
    var keys = sources.remote(new KeyAddress.At(gone.uri("/jwks")), CACHED, ClientTls.SYSTEM);
    settle(keys);
    assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Failed.class);
  }

  @Test
  void an_edit_of_the_policies_keeps_what_is_known() {
    var keys = remote();
    settle(keys);
    assertThat(remote()).isSameAs(keys);
    assertThat(provider.asked()).isEqualTo(1);
  }

  @Test
  void slow_providers_do_not_keep_another_from_its_keys() {
    var release = new CountDownLatch(1);
    try (var slow = new TestProvider()) {
      slow.answer = held(release, keys("one"));
      // More than there are threads.
      var waiting = IntStream.range(0, 30)
          .mapToObj(i ->
              sources.remote(new KeyAddress.At(slow.uri("/jwks?" + i)), CACHED, ClientTls.SYSTEM))
          .map(KeySource::fetch)
          .toList();
      var keys = remote();
      settle(keys);
      assertThat(keys.keys(clock.instant())).isInstanceOf(Keys.Known.class);
      assertThat(waiting).allSatisfy(each -> assertThat(each).isNotDone());
      release.countDown();
      waiting.forEach(each -> each.orTimeout(5, TimeUnit.SECONDS).join());
    }
  }

  @Test
  void closing_lets_go_whoever_waits_and_leaves_no_thread() {
    var release = new CountDownLatch(1);
    provider.answer = held(release, keys("one"));
    var own = new KeySources(clock, Duration.ofSeconds(5), Duration.ofMillis(10), () -> 0.5);
    var keys = remote(own);
    var waiting = keys.fetch();
    await().until(() -> provider.asked() == 1);
    opened.forEach(KeySources::close);
    own.close();
    assertThat(waiting).succeedsWithin(Duration.ofSeconds(5));
    assertThat(keys.fetch()).isDone();
    await()
        .untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
            .extracting(Thread::getName)
            .noneMatch(name -> name.startsWith("gatehouse-key-")));
    release.countDown();
  }

  private KeySources sources(double random) {
    var made = new KeySources(clock, Duration.ofMillis(700), NEVER, () -> random);
    opened.add(made);
    return made;
  }

  private void failed(String why) {
    var keys = remote();
    settle(keys);
    assertThat(keys.keys(clock.instant()))
        .isInstanceOfSatisfying(
            Keys.Failed.class, failed -> assertThat(failed.why()).contains(why));
  }

  private KeySource remote() {
    return remote(sources);
  }

  private KeySource remote(KeySources from) {
    var keys = from.remote(address(), CACHED, ClientTls.SYSTEM);
    kept.add(keys);
    return keys;
  }

  private KeyAddress address() {
    return new KeyAddress.At(provider.uri("/jwks"));
  }

  /** Time passes, and what is due by then is fetched. */
  private void due(Duration after) {
    clock.advance(after);
    sources.refresh();
    settled(sources);
  }

  private static void settled(KeySources all) {
    all.settled().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static void settle(KeySource keys) {
    keys.fetch().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private KeySet known(KeySource keys) {
    return ((Keys.Known) keys.keys(clock.instant())).set();
  }
}
