package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Bodies that a TransformPolicy refuses, before anything has gone on through a real Envoy or when it is late for that. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusalsOnEnvoyTest {
  private static final TransformPlan STRICT = Transforms.masking("""
      limits: {requestBytes: 1Mi, responseBytes: 1Gi}
      request: [{json: [{op: remove, at: /secret}]}]
      """);
  private static final TransformPlan SMALL = Transforms.masking("""
      limits: {requestBytes: 2Mi, responseBytes: 2Mi}
      request: [{json: [{op: remove, at: /secret}]}]
      """);

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
  void a_response_refused_late_ends_at_once_and_never_looks_complete() throws IOException {
    var rows = "{\"rows\":[" + (Transforms.ROW + ",\n").repeat(50_000);
    var tooMany = Transforms.gzip(rows + (Transforms.ROW + ",\n").repeat(20_000) + "0]}");
    var begun = tooMany.size() / 2;
    for (var mode : TransformGate.STREAMING) {
      assertThat(cutOff(
              mode,
              "x: y",
              ByteString.copyFromUtf8(rows),
              ByteString.copyFromUtf8("oops 4222222222222222]}")))
          .as(mode.name())
          .doesNotContain("4222");
      assertThat(cutOff(
              mode,
              "content-encoding: gzip",
              tooMany.substring(0, begun),
              tooMany.substring(begun)))
          .as(mode.name())
          .doesNotContain("4111");
    }
  }

  /**
   * What a client gets of the body of a response that is cut off for its last part. The upstream holds that back until the client has
   * seen the response begin: before, the refusal would be an answer of its own.
   */
  private String cutOff(BodySendMode mode, String field, ByteString begin, ByteString last)
      throws IOException {
    var seen = new CountDownLatch(1);
    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED, field);
      out.chunks(begin, 10_000);
      await().until(() -> seen.getCount() == 0);
      out.chunks(last, 1_000);
      out.end();
    });
    try (var client = gate.open(SMALL, mode, "GET")) {
      assertThat(client.answer().status()).isEqualTo(200);
      var began = System.nanoTime();
      seen.countDown();
      var text = client.rest();
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(TransformGate.PROMPTLY);
      assertThat(text.endsWith("\r\n0\r\n\r\n")).as("looks complete").isFalse();
      return text;
    }
  }

  @Test
  void a_request_refused_late_is_answered_at_once_and_never_looks_complete_to_the_upstream()
      throws IOException {
    var complete = new AtomicInteger();
    gate.answers(out -> {
      complete.incrementAndGet();
      out.answer(204);
    });
    var row = "\"" + "x".repeat(50_000) + "\",\n";
    for (var mode : TransformGate.STREAMING) {
      for (var end : List.of("oops", row.repeat(30))) {
        try (var client = gate.open(SMALL, mode, "POST", Outgoing.CHUNKED)) {
          client.out().chunk("[");
          for (var i = 0; i < 25; i++) {
            client.out().chunk(row);
          }
          var began = System.nanoTime();
          client.writing(out -> out.chunk(end));
          assertThat(client.answer().status())
              .as(mode.name())
              .isEqualTo(end.equals("oops") ? 400 : 413);
          assertThat(Duration.ofNanos(System.nanoTime() - began))
              .isLessThan(TransformGate.PROMPTLY);
        }
      }
    }
    assertThat(complete).hasValue(0);
  }

  @Test
  void what_is_no_json_is_refused_while_it_can_be_and_cut_off_after() throws IOException {
    var mode = BodySendMode.FULL_DUPLEX_STREAMED;
    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED);
      out.chunk("<html>4111111111111111");
      out.end();
    });
    assertThat(gate.status(STRICT, mode)).isEqualTo(502);
    var xml = List.of(ByteString.copyFromUtf8("<xml>"));
    assertThat(gate.status(STRICT, mode, xml, true)).isEqualTo(400);

    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED);
      out.chunk("{\"rows\":[" + Transforms.ROW);
      out.chunk("oops 4222222222222222");
      out.end();
    });
    for (var streaming : TransformGate.STREAMING) {
      try (var client = gate.open(STRICT, streaming, "GET")) {
        var answer = client.answer();
        assertThat(answer.status()).isIn(200, 502);
        if (answer.status() == 200) { // The first piece had gone on.
          assertThatThrownBy(answer::body).isInstanceOf(IOException.class);
        } else {
          assertThat(answer.text()).doesNotContain("4222");
        }
      }
    }
  }

  @Test
  void a_body_over_the_limit_is_413_whatever_length_it_says() throws IOException {
    gate.answers(out -> out.answerJson("{}"));
    var large = List.of(ByteString.copyFromUtf8("\"" + "x".repeat(2 << 20) + "\""));
    for (var mode : TransformGate.STREAMING) {
      for (var length : List.of(false, true)) {
        assertThat(gate.status(STRICT, mode, large, length))
            .as("%s, length %s", mode, length)
            .isEqualTo(413);
      }
    }
  }
}
