package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What no upstream and no client should send, on its way through a real Envoy to a policy that masks cards. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputOnEnvoyTest {
  private static final String CARD = "4111111111111111";
  private static final int PIECE = 60_000;

  /** A gigabyte in all. */
  private static final int PIECES = (1 << 30) / PIECE;

  /** What Envoy and the sockets between may hold beside the limit. */
  private static final long BETWEEN = 32L << 20;

  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  private final TransformPlan plan = Transforms.plan("""
      limits: {requestBytes: 1Mi, responseBytes: 1Mi}
      request: [{json: [{op: mask, at: /**/card}]}]
      response: [{json: [{op: mask, at: /**/card}]}]
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
  void a_gigabyte_against_a_limit_of_one_megabyte_is_refused_at_the_limit() throws IOException {
    var spaces = ByteString.copyFromUtf8(" ".repeat(PIECE));
    gate.says((request, out) -> request.skip());
    var pieces = Collections.nCopies(PIECES, spaces);
    assertThat(gate.status(plan, BodySendMode.FULL_DUPLEX_STREAMED, pieces, false))
        .isEqualTo(413);

    var written = new AtomicLong();
    gate.answers(out -> {
      out.answer(200, Outgoing.CHUNKED);
      for (var piece : pieces) {
        out.chunk(piece);
        written.addAndGet(PIECE);
      }
    });
    var got = get(BodySendMode.FULL_DUPLEX_STREAMED);
    assertThat(got.length()).as("bytes that reached the client").isLessThan(2 << 20);
    assertThat(got).as("the end of a whole body").doesNotEndWith("0\r\n\r\n");
    assertThat(written.get()).as("bytes that the upstream got rid of").isLessThan(BETWEEN);
  }

  @Test
  void an_upstream_that_lies_about_its_length_gets_nothing_unmasked_through() throws IOException {
    var body = "{\"card\":\"" + CARD + "\"}";
    for (var mode : MODES) {
      for (var length : List.of("5", "20", "900")) {
        gate.answers(out -> {
          out.answer(200, "content-type: application/json", "content-length: " + length);
          out.write(body);
        });
        var got = get(mode);
        assertThat(got).as("%s, content-length %s", mode, length).doesNotContain(CARD);
        assertThat(got)
            .as("%s, content-length %s", mode, length)
            .matches(text -> text.isEmpty() || text.startsWith("HTTP/1.1 50"));
      }
    }
    gate.answers(out -> out.answerJson(body));
    for (var mode : MODES) {
      assertThat(get(mode)).startsWith("HTTP/1.1 200").contains("*".repeat(CARD.length()));
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
  }

  /** All that comes until Envoy closes or resets the connection. */
  private String get(BodySendMode mode) throws IOException {
    try (var client = gate.open(plan, mode, "GET", "connection: close")) {
      return client.rest();
    }
  }
}
