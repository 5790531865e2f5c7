package dev.gatehouse.e2e.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Responses before the response (1xx), which Envoy does not tell of: a policy that masks cards does so in the one that counts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InterimResponsesOnEnvoyTest {
  private static final String CARD = "4111111111111111";
  private static final String BODY = "{\"card\":\"" + CARD + "\"}";
  private static final String MASKED = "{\"card\":\"" + "*".repeat(CARD.length()) + "\"}";
  private static final int PATIENCE_MILLIS = 15_000;

  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  private final TransformPlan plan = Transforms.plan("""
      request: [{json: [{op: mask, at: /card}]}]
      response: [{json: [{op: mask, at: /card}], headers: {set: {x-seen: "${response.code}"}}}]
      """);
  private RawUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new RawUpstream();
    gate = new ProcessingGate(
        folder, upstream.port(), "10s", Patience.DEFAULT, number -> Transforms.processor(plan));
    upstream.says((rest, out) -> out.write(response(BODY)));
    await().until(() -> exchange(get(BodySendMode.BUFFERED)).contains("HTTP/1.1 200"));
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void what_follows_early_hints_is_transformed() throws IOException {
    var failed = gate.count("streams_failed");
    for (var hints = 1; hints < 3; hints++) {
      var before = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(hints);
      upstream.says((rest, out) -> {
        out.write(before.getBytes(US_ASCII));
        out.flush();
        out.write(response(BODY));
      });
      for (var mode : MODES) {
        assertThat(exchange(get(mode)))
            .as("%s behind %s hints", mode, hints)
            .contains("HTTP/1.1 200", "x-seen: 200", MASKED)
            .doesNotContain(CARD);
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isEqualTo(failed);
  }

  @Test
  void a_client_that_waits_to_be_told_to_continue_is_told_and_its_body_transformed()
      throws IOException {
    var failed = gate.count("streams_failed");
    upstream.says((rest, out) -> out.write(response(new String(body(rest), US_ASCII))));
    for (var mode : MODES) {
      try (var socket = connect()) {
        var out = socket.getOutputStream();
        out.write(("POST " + ProcessingGate.path(mode, mode)
                + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: "
                + BODY.length() + "\r\n\r\n")
            .getBytes(US_ASCII));
        assertThat(head(socket.getInputStream())).as("%s", mode).startsWith("HTTP/1.1 100");
        out.write(BODY.getBytes(US_ASCII));
        assertThat(rest(socket))
            .as("%s", mode)
            .contains("HTTP/1.1 200", "x-seen: 200", MASKED)
            .doesNotContain(CARD);
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isEqualTo(failed);
  }

  private static byte[] response(String body) {
    return ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
            + body.length() + "\r\n\r\n" + body)
        .getBytes(US_ASCII);
  }

  private static String get(BodySendMode mode) {
    return "GET " + ProcessingGate.path(mode, mode)
        + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\nconnection: close\r\n\r\n";
  }

  private Socket connect() throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), gate.deaf());
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  private String exchange(String request) throws IOException {
    try (var socket = connect()) {
      socket.getOutputStream().write(request.getBytes(US_ASCII));
      return rest(socket);
    }
  }

  /** All that comes until Envoy closes the connection. */
  private static String rest(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), US_ASCII);
  }

  /** The lines up to the first empty one. */
  private static String head(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var next = in.read();
      if (next < 0) {
        throw new IOException("the connection ended within a head: " + head);
      }
      head.append((char) next);
    }
    return head.toString();
  }

  /** Of a request: by its length, which stays where a mask keeps it, or in chunks. Nothing comes after its end. */
  private static byte[] body(InputStream rest) throws IOException {
    var come = new StringBuilder();
    while (come.indexOf("}") < 0) {
      var next = rest.read();
      if (next < 0) {
        throw new IOException("the connection ended within a body: " + come);
      }
      come.append((char) next);
    }
    return come.substring(come.indexOf("{")).getBytes(US_ASCII);
  }
}
