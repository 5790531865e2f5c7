package dev.gatehouse.e2e.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.extproc.stream.Patience;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** An event stream that does not end, through a real Envoy that buffers bodies for a policy, or sends them in pieces. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EventStreamOnEnvoyTest {
  private static final int PATIENCE_MILLIS = 10_000;

  private RawUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    var plan = Transforms.plan("""
        onUnprocessable: Pass
        response: [{headers: {set: {x-seen: "1"}}, json: [{op: mask, at: /card}]}]
        """);
    upstream = new RawUpstream();
    gate = new ProcessingGate(
        folder, upstream.port(), "10s", Patience.DEFAULT, number -> Transforms.processor(plan));
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void an_event_reaches_the_client_while_the_stream_goes_on() throws IOException {
    for (var mode : List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var received = new CountDownLatch(1);
      upstream.says((rest, out) -> {
        out.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n"
            .getBytes(US_ASCII));
        out.flush();
        await().until(() -> received.getCount() == 0);
        out.write("data: last\n\n".getBytes(US_ASCII));
      });
      try (var client = new Socket(InetAddress.getLoopbackAddress(), gate.heeding())) {
        client.setSoTimeout(PATIENCE_MILLIS);
        client
            .getOutputStream()
            .write(("GET " + ProcessingGate.path(BodySendMode.NONE, mode)
                    + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\nconnection: close\r\n\r\n")
                .getBytes(US_ASCII));
        var lines = new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII))
            .lines()
            .iterator();
        var before = "";
        for (var line = lines.next(); !line.equals("data: first"); line = lines.next()) {
          before += line + "\n";
        }
        assertThat(before).as("%s", mode).startsWith("HTTP/1.1 200").contains("x-seen: 1");
        received.countDown();
        assertThat(lines).as("%s", mode).toIterable().contains("data: last");
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isZero();
  }
}
