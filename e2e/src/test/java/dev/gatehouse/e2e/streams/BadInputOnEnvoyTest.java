package dev.gatehouse.e2e.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
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
  private static final int PATIENCE_MILLIS = 15_000;
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
  private RawUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new RawUpstream();
    gate = new ProcessingGate(
        folder, upstream.port(), "10s", Patience.DEFAULT, number -> Transforms.processor(plan));
    upstream.says((rest, out) -> answer(out, "content-length: 2\r\n", "{}"));
    await().until(() -> get(BodySendMode.BUFFERED).startsWith("HTTP/1.1 200"));
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void a_gigabyte_against_a_limit_of_one_megabyte_is_refused_at_the_limit() throws IOException {
    var spaces = ByteString.copyFromUtf8(" ".repeat(PIECE));
    upstream.says((rest, out) -> rest.skip(Long.MAX_VALUE));
    var answer = ChunkedClient.send(
        gate.deaf(),
        new ChunkedClient.Request(
            path(BodySendMode.FULL_DUPLEX_STREAMED),
            1,
            Collections.nCopies(PIECES, spaces),
            false,
            false));
    assertThat(answer.status()).isEqualTo(413);

    var written = new AtomicLong();
    upstream.says((rest, out) -> {
      out.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".getBytes(US_ASCII));
      for (var piece = 0; piece < PIECES; piece++) {
        out.write((Integer.toHexString(PIECE) + "\r\n").getBytes(US_ASCII));
        spaces.writeTo(out);
        out.write("\r\n".getBytes(US_ASCII));
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
        upstream.says((rest, out) -> answer(out, "content-length: " + length + "\r\n", body));
        var got = get(mode);
        assertThat(got).as("%s, content-length %s", mode, length).doesNotContain(CARD);
        assertThat(got)
            .as("%s, content-length %s", mode, length)
            .matches(text -> text.isEmpty() || text.startsWith("HTTP/1.1 50"));
      }
    }
    upstream.says((rest, out) -> answer(out, "content-length: " + body.length() + "\r\n", body));
    for (var mode : MODES) {
      assertThat(get(mode)).startsWith("HTTP/1.1 200").contains("*".repeat(CARD.length()));
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
  }

  private static void answer(OutputStream out, String headers, String body) throws IOException {
    out.write(("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + headers + "\r\n" + body)
        .getBytes(US_ASCII));
  }

  private static String path(BodySendMode mode) {
    return ProcessingGate.path(mode, mode);
  }

  /** All that comes until Envoy closes or resets the connection. */
  private String get(BodySendMode mode) throws IOException {
    var got = new StringBuilder();
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), gate.deaf())) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket
          .getOutputStream()
          .write(("GET " + path(mode)
                  + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\nconnection: close\r\n\r\n")
              .getBytes(US_ASCII));
      var some = new byte[64 << 10];
      for (var count = read(socket, some); count > 0; count = read(socket, some)) {
        got.append(new String(some, 0, count, US_ASCII));
      }
    }
    return got.toString();
  }

  private static int read(Socket socket, byte[] some) throws IOException {
    try {
      return socket.getInputStream().read(some);
    } catch (SocketException e) {
      return -1; // Reset: that is an answer, too.
    }
  }
}
