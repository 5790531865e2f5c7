package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Upgrades, whose bytes are no body, on routes of a real Envoy that lets them through to a TransformPolicy. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UpgradesOnEnvoyTest {
  private static final TransformPlan BOTH =
      Transforms.masking("request: [{json: [{op: remove, at: /secret}]}]\n");
  private static final TransformPlan RESPONSE = Transforms.masking("");
  private static final TransformPlan PASSING = Transforms.masking("onUnprocessable: Pass\n");

  private static final String[] UPGRADE = {"connection: upgrade", "upgrade: websocket"};

  private TransformGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    gate = new TransformGate(folder);
  }

  @AfterAll
  void close() {
    gate.close();
  }

  /** An upgraded connection does not end by itself. */
  private void upgrading(String frame, CountDownLatch over) {
    gate.answers(out -> {
      out.head("HTTP/1.1 101 x", UPGRADE);
      out.write(frame);
      await().forever().until(() -> over.getCount() == 0);
    });
  }

  @Test
  void an_upgrade_is_refused_at_once_where_steps_want_bodies() throws IOException {
    var refused = new CountDownLatch(1);
    upgrading("", refused);
    for (var mode : TransformGate.STREAMING) {
      var began = System.nanoTime();
      try (var client = gate.open(BOTH, mode, "GET", UPGRADE)) {
        assertThat(client.answer().status()).as(mode.name()).isEqualTo(400);
      }
      try (var client = gate.open(RESPONSE, mode, "GET", UPGRADE)) {
        assertThat(client.answer().status()).as(mode.name()).isEqualTo(502);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(TransformGate.PROMPTLY);
    }
    refused.countDown();
  }

  @Test
  void an_upgraded_connection_passes_where_the_policy_lets_it() throws IOException {
    var seen = new CountDownLatch(1);
    upgrading("a frame", seen);
    for (var mode : TransformGate.STREAMING) {
      try (var client = gate.open(PASSING, mode, "GET", UPGRADE)) {
        var answer = client.answer();
        assertThat(answer.status()).as(mode.name()).isEqualTo(101);
        assertThat(answer.bytes(7).toStringUtf8()).as(mode.name()).isEqualTo("a frame");
      }
    }
    seen.countDown();
  }

  @Test
  void an_offer_of_http_2_over_plain_text_is_no_upgrade() throws IOException {
    gate.answers(out -> out.answer(204));
    for (var offer : List.of(
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk",
        "upgrade: h2c, http/2",
        "upgrade: websocket")) {
      try (var client =
          gate.open(BOTH, BodySendMode.FULL_DUPLEX_STREAMED, "POST", offer, Outgoing.CHUNKED)) {
        client.out().chunk("{}");
        client.out().end();
        assertThat(client.answer().status()).as(offer).isEqualTo(204);
      }
    }
  }
}
