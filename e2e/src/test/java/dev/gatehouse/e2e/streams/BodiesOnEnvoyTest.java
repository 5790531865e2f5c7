package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Bodies under a TransformPolicy, with a real Envoy on either side of it: large ones, encoded ones, ones that never end, and none. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BodiesOnEnvoyTest {
  private static final TransformPlan STRICT = Transforms.masking("""
      limits: {requestBytes: 1Mi, responseBytes: 1Gi}
      request: [{json: [{op: remove, at: /secret}]}]
      """);
  private static final TransformPlan PASSING = Transforms.masking("onUnprocessable: Pass\n");
  private static final TransformPlan EMPTYING = Transforms.plan("response: [{status: 204}]");
  private static final TransformPlan EMPTYING_DELETED = Transforms.plan("""
      response:
        - {when: response.body.deleted, status: 204}
        - {json: [{op: mask, at: /iban}]}
      """);

  private static final List<BodySendMode> WHOLE =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  private static final String MASKED = "{\"card\":\"************1111\",\"n\":1.50}";

  private TransformGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    gate = new TransformGate(folder);
  }

  @AfterAll
  void close() {
    gate.close();
  }

  @Test
  void a_large_response_of_unknown_length_is_redacted_as_it_comes_compressed_or_not()
      throws IOException {
    var rows = new StringBuilder("{\"rows\":[");
    for (var i = 0; i < 60_000; i++) {
      rows.append(Transforms.ROW).append(", ").append(i * 7919).append(",\n");
    }
    var text = rows.append("0]}").toString();
    var expected = text.replace(Transforms.ROW, MASKED);
    for (var mode : TransformGate.STREAMING) {
      for (var gzip : List.of(false, true)) {
        var body = gzip ? Transforms.gzip(text) : ByteString.copyFromUtf8(text);
        var coding = gzip ? "content-encoding: gzip" : "x: y";
        gate.answers(out -> {
          out.answer(200, Outgoing.CHUNKED, coding, "etag: \"v1\"");
          out.chunks(body, 50_000);
          out.end();
        });
        try (var client = gate.open(STRICT, mode, "GET")) {
          var answer = client.answer();
          assertThat(answer.status()).isEqualTo(200);
          assertThat(answer.field("content-encoding")).isNull();
          assertThat(answer.field("etag")).isEqualTo("W/\"v1\"");
          assertThat(answer.text()).as("%s gzip %s", mode, gzip).isEqualTo(expected);
        }
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
  }

  @Test
  void a_stream_alone_on_its_connection_never_waits_for_a_window_that_nobody_flushes()
      throws IOException {
    var text = "{\"rows\":[" + (Transforms.ROW + ",\n").repeat(80_000) + "0]}";
    var expected = text.replace(Transforms.ROW, MASKED);
    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED);
      out.chunks(ByteString.copyFromUtf8(text), 50_000);
      out.end();
    });
    for (var time = 0; time < 6; time++) {
      for (var mode : TransformGate.STREAMING) {
        try (var client = gate.open(STRICT, mode, "GET")) {
          assertThat(client.answer().text().equals(expected)).as(mode.name()).isTrue();
        }
      }
    }
  }

  @Test
  void a_status_without_a_body_takes_the_body_away_and_the_connection_stays_in_step()
      throws IOException {
    gate.answers(out -> out.answerJson("{\"deleted\": true, \"iban\": \"DE1\"}"));
    for (var mode :
        List.of(BodySendMode.BUFFERED, BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      for (var plan : List.of(EMPTYING, EMPTYING_DELETED)) {
        if (plan == EMPTYING_DELETED && mode == BodySendMode.STREAMED) {
          continue; // It gives no whole body.
        }
        try (var client = gate.open(plan, mode, "GET")) {
          assertThat(client.answer().status()).as(mode.name()).isEqualTo(204);
          gate.request(client, plan, mode, "GET", "connection: close");
          assertThat(client.answer().status()).as(mode.name()).isEqualTo(204);
          assertThat(client.rest()).as(mode.name()).isEmpty();
        }
      }
    }
  }

  @Test
  void an_event_stream_goes_on_event_by_event_in_every_mode() throws IOException {
    var plan = Transforms.plan("""
        onUnprocessable: Pass
        response: [{headers: {set: {x-seen: "1"}}, json: [{op: mask, at: /card}]}]
        """);
    for (var mode :
        List.of(BodySendMode.BUFFERED, BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var seen = new CountDownLatch(1);
      gate.answers(out -> {
        out.answer(200, "content-type: text/event-stream");
        out.write("data: {\"card\":1}\n\n");
        await().until(() -> seen.getCount() == 0);
        out.write("data: last\n\n");
      });
      try (var client = gate.open(plan, mode, "GET", "connection: close")) {
        var answer = client.answer();
        assertThat(answer.status()).as(mode.name()).isEqualTo(200);
        assertThat(answer.field("x-seen")).as(mode.name()).isEqualTo("1");
        assertThat(answer.line()).as("the size of a chunk").isEqualTo("12");
        assertThat(answer.line()).as(mode.name()).isEqualTo("data: {\"card\":1}");
        seen.countDown();
        assertThat(client.rest()).as(mode.name()).contains("data: last\n\n");
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isZero();
  }

  @Test
  void the_messages_of_grpc_pass_unharmed_where_the_policy_lets_them() throws IOException {
    var message = ByteString.copyFrom("\0\0\0\0\u0005{rows", StandardCharsets.ISO_8859_1);
    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED, "content-type: application/grpc+proto");
      out.chunks(message, 4);
      out.end();
    });
    for (var mode : WHOLE) {
      try (var client = gate.open(PASSING, mode, "GET")) {
        assertThat(client.answer().body()).isEqualTo(message);
      }
      assertThat(gate.status(STRICT, mode)).isEqualTo(502);
    }
  }

  @Test
  void a_body_that_is_only_described_is_not_described_as_the_one_before_the_edits()
      throws IOException {
    for (var mode : WHOLE) {
      gate.answers(out ->
          out.answer(200, "content-length: 4711", "content-digest: sha-256=:x:", "etag: \"v1\""));
      try (var client = gate.open(STRICT, mode, "HEAD")) {
        var answer = client.answer();
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.field("content-length")).isNull();
        assertThat(answer.field("content-digest")).isNull();
        assertThat(answer.field("etag")).isEqualTo("W/\"v1\"");
      }

      gate.answers(out -> out.answer(304, "etag: \"v1\""));
      try (var client = gate.open(STRICT, mode, "GET")) {
        var answer = client.answer();
        assertThat(answer.status()).isEqualTo(304);
        assertThat(answer.field("etag")).isEqualTo("W/\"v1\"");
      }
    }
  }
}
