package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.RedisFixture;
import dev.gatehouse.testkit.SlowWire;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of hits when Redis does not do its part. */
final class RedisFaultsTest {
  private static final Duration TIMEOUT = Duration.ofMillis(50);

  private final EventLoops loops = EventLoops.start(2);
  private final RedisFixture redis = RedisFixture.startProcess();
  private CounterStore store;

  @BeforeEach
  void start() {
    store = store(redis.url());
    store.warmUp();
    await().until(() -> apply().join().equals("1"));
  }

  @AfterEach
  void stop() {
    store.close();
    loops.close();
    redis.close();
  }

  private CounterStore store(String url) {
    return RedisCounterStore.start(
        RedisUrl.parse(url).with(TIMEOUT, "t:"), loops.all(), InstantSource.system());
  }

  @Test
  void a_redis_that_hangs_is_given_up_at_the_deadline() {
    redis.pause();
    for (int i = 0; i < Breaker.OPENS_AFTER; i++) {
      long before = System.nanoTime();
      assertThat(apply().join()).isEqualTo("TIMEOUT");
      assertThat(Duration.ofNanos(System.nanoTime() - before))
          .isBetween(TIMEOUT, TIMEOUT.plusMillis(40));
    }
  }

  @Test
  void every_one_of_many_hits_is_given_up_at_its_own_deadline() {
    redis.pause();
    var answers = new ArrayList<CompletableFuture<Long>>();
    for (int i = 0; i < 500; i++) {
      long before = System.nanoTime();
      answers.add(apply().thenApply(answer -> {
        assertThat(answer).isEqualTo("TIMEOUT");
        return System.nanoTime() - before;
      }));
    }
    assertThat(answers)
        .allSatisfy(waited ->
            assertThat(Duration.ofNanos(waited.join())).isBetween(TIMEOUT, TIMEOUT.plusMillis(60)));
  }

  @Test
  void nothing_is_sent_to_a_redis_that_stays_silent_until_it_answers_again() {
    redis.pause();
    await().until(() -> apply().join().equals("NOT_ANSWERING"));
    assertThat(store.available()).isFalse();
    for (int i = 0; i < 1000; i++) {
      long before = System.nanoTime();
      assertThat(apply().join()).isEqualTo("NOT_ANSWERING");
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(TIMEOUT);
    }
    redis.resume();
    await().atMost(Duration.ofSeconds(2)).until(() -> apply().join().matches("[0-9]+"));
    assertThat(Long.parseLong(apply().join()))
        .as("what was sent before, and nothing of the thousand")
        .isLessThan(20);
  }

  @Test
  void a_redis_that_is_always_too_slow_is_left_alone_until_it_is_fast_again() throws IOException {
    int port = URI.create(redis.url()).getPort();
    try (var wire = SlowWire.to(port);
        var slow = store("127.0.0.1:" + wire.port())) {
      await().until(() -> apply(slow, 0).join().matches("[0-9]+"));
      wire.delay(TIMEOUT.multipliedBy(3));
      await().until(() -> apply(slow, 0).join().equals("NOT_ANSWERING"));
      // It does answer, all the while.
      await()
          .during(TIMEOUT.multipliedBy(12))
          .atMost(Duration.ofSeconds(5))
          .until(() -> apply(slow, 0).join().equals("NOT_ANSWERING"));
      wire.delay(Duration.ZERO);
      await().atMost(Duration.ofSeconds(3)).until(() -> apply(slow, 0).join().matches("[0-9]+"));
    }
  }

  @Test
  void a_redis_that_hung_counts_again_when_it_goes_on() {
    redis.pause();
    assertThat(apply().join()).isEqualTo("TIMEOUT");
    redis.resume();
    await().until(() -> apply().join().matches("[0-9]+"));
  }

  @Test
  void more_hits_than_may_wait_fail_at_once() {
    redis.pause();
    var answers = new ArrayList<CompletableFuture<String>>();
    var hit = hit(limit("a", Unit.YEAR), "", 1);
    for (int i = 0; i < 10_000; i++) {
      answers.add(new CompletableFuture<String>().orTimeout(5, TimeUnit.SECONDS));
    }
    loops
        .all()
        .getFirst()
        .execute(
            () -> answers.forEach(answer -> store.apply(List.of(hit), store.now(), into(answer))));
    assertThat(answers.stream().map(CompletableFuture::join).distinct())
        .containsExactlyInAnyOrder("TIMEOUT", "OVERLOADED");
    redis.resume();
    await().until(() -> apply().join().matches("[0-9]+"));
  }

  @Test
  void a_redis_that_is_gone_is_said_so_at_once_and_counts_when_it_is_back() {
    redis.stop();
    await().untilAsserted(() -> assertThat(apply().join()).isEqualTo("NOT_CONNECTED"));
    assertThat(store.available()).isFalse();
    long before = System.nanoTime();
    assertThat(apply().join()).isEqualTo("NOT_CONNECTED");
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(TIMEOUT);

    redis.restart();
    await().atMost(Duration.ofSeconds(10)).until(store::available);
    await().untilAsserted(() -> assertThat(apply().join()).matches("[0-9]+"));
    assertThat(apply().join()).as("nothing was kept for later").matches("[0-9]");
  }

  @Test
  void hits_that_were_on_their_way_when_it_ended_are_not_sent_again() {
    redis.pause();
    for (int i = 0; i < 4; i++) {
      assertThat(apply().join()).isEqualTo("TIMEOUT");
    }
    redis.restart();
    await().atMost(Duration.ofSeconds(10)).until(store::available);
    await().until(() -> apply().join().matches("[0-9]+"));
    assertThat(apply().join()).isEqualTo("2");
  }

  @Test
  void it_starts_without_a_redis() {
    redis.stop();
    try (var early = store(redis.url())) {
      assertThat(early.available()).isFalse();
      assertThat(apply(early, 0).join()).isEqualTo("NOT_CONNECTED");
      redis.restart();
      await().atMost(Duration.ofSeconds(10)).until(early::available);
      await().until(() -> apply(early, 0).join().matches("[0-9]+"));
    }
  }

  @Test
  void callbacks_come_on_their_own_loop_after_a_reconnect_too() {
    redis.restart();
    await().atMost(Duration.ofSeconds(10)).until(store::available);
    for (int i = 0; i < 200; i++) {
      var loop = loops.all().get(i % 2);
      assertThat(thread(loop).join()).isTrue();
    }
  }

  @Test
  void an_answer_that_is_an_error_is_unavailable() throws IOException {
    tellRedis("CONFIG SET maxmemory 1");
    assertThat(apply().join()).isEqualTo("FAILED");
  }

  @Test
  void a_password_is_taken_from_the_url() throws IOException {
    tellRedis("CONFIG SET requirepass p@ss");
    try (var open = store(redis.url());
        var known = store(redis.url().replace("redis://", "redis://:p%40ss@"))) {
      await().until(known::available);
      assertThat(apply(known, 1).join()).matches("[0-9]+");
      assertThat(apply(open, 1).join()).isEqualTo("NOT_CONNECTED");
    }
  }

  private void tellRedis(String command) throws IOException {
    int port = URI.create(redis.url()).getPort();
    try (var client = new Socket(InetAddress.getLoopbackAddress(), port)) {
      client.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
      assertThat(client.getInputStream().read()).isEqualTo('+');
    }
  }

  @Test
  void an_address_where_nobody_listens_is_no_reason_to_fail_to_start() throws Exception {
    int port;
    try (var socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    try (var nobody = store("localhost:" + port)) {
      assertThat(apply(nobody, 0).join()).isEqualTo("NOT_CONNECTED");
    }
  }

  @Test
  void a_url_that_is_none_is_refused_and_its_password_kept_secret() {
    assertThatThrownBy(() -> store("http://:s3cret@localhost"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("begins with \"http://\"")
        .hasMessageNotContaining("s3cret");
    assertThatThrownBy(() -> store("redis://:s3cret@local host:abc"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageNotContaining("s3cret")
        .hasNoCause();
  }

  private CompletableFuture<String> apply() {
    return apply(store, 0);
  }

  private CompletableFuture<String> apply(CounterStore store, int loop) {
    var answer = new CompletableFuture<String>();
    Hit hit = hit(limit("a", Unit.YEAR), "", 1);
    loops.all().get(loop).execute(() -> store.apply(List.of(hit), store.now(), into(answer)));
    return answer.orTimeout(5, TimeUnit.SECONDS);
  }

  private CompletableFuture<Boolean> thread(EventLoop loop) {
    var answer = new CompletableFuture<String>();
    var same = answer.thenApply(a -> loop.inEventLoop());
    Hit hit = hit(limit("a", Unit.YEAR), "", 1);
    loop.execute(() -> store.apply(List.of(hit), store.now(), into(answer)));
    return same.orTimeout(5, TimeUnit.SECONDS);
  }

  private static CounterStore.Outcome into(CompletableFuture<String> answer) {
    return new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        answer.complete("" + counts.used(0));
      }

      @Override
      public void unavailable(Reason reason) {
        answer.complete(reason.name());
      }
    };
  }
}
