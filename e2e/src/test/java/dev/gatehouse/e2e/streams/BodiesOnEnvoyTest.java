package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Bodies under a TransformPolicy, with a real Envoy on either side of it: large ones, encoded ones, ones that never end, and none. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BodiesOnEnvoyTest {
  private static final String MASK =
      "response: [{json: [{op: mask, at: /rows/*/card, keepLast: 4}]}]";
  private static final TransformPlan STRICT = Transforms.plan("""
      limits: {requestBytes: 1Mi, responseBytes: 1Gi}
      request: [{json: [{op: remove, at: /secret}]}]
      """ + MASK);
  private static final TransformPlan MASKING = Transforms.plan(MASK);
  private static final TransformPlan PASSING = Transforms.plan("onUnprocessable: Pass\n" + MASK);

  private static final TransformPlan SMALL =
      Transforms.plan("limits: {requestBytes: 2Mi, responseBytes: 2Mi}\n"
          + "request: [{json: [{op: remove, at: /secret}]}]\n"
          + MASK);
  private static final TransformPlan EMPTYING = Transforms.plan("response: [{status: 204}]");
  private static final TransformPlan EMPTYING_DELETED = Transforms.plan("""
      response:
        - {when: response.body.deleted, status: 204}
        - {json: [{op: mask, at: /iban}]}
      """);

  /** Well before the gate's idle timeout of 10 s; Envoy itself waits 1 s for a client to close a connection that it has ended. */
  private static final Duration PROMPTLY = Duration.ofSeconds(4);

  private static final String ROW = "{\"card\":\"4111111111111111\",\"n\":1.50}";
  private static final String MASKED = "{\"card\":\"************1111\",\"n\":1.50}";

  private final Map<Integer, TransformPlan> plans = new ConcurrentHashMap<>();
  private final AtomicInteger numbers = new AtomicInteger();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private Upstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new Upstream();
    gate = new ProcessingGate(folder, upstream.port(), "5s", Patience.DEFAULT, this::processor);
  }

  @AfterAll
  void close() throws IOException {
    gate.close();
    client.close();
    upstream.close();
  }

  private Processor processor(int number) {
    var plan = plans.get(number);
    return plan == null ? Processor.PASS : Transforms.processor(plan);
  }

  @Test
  void a_large_response_of_unknown_length_is_redacted_as_it_comes_compressed_or_not()
      throws Exception {
    var rows = new StringBuilder("{\"rows\":[");
    for (var i = 0; i < 60_000; i++) {
      rows.append(ROW).append(", ").append(i * 7919).append(",\n");
    }
    var text = rows.append("0]}").toString();
    var expected = text.replace(ROW, MASKED);
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      for (var gzip : List.of(false, true)) {
        var body = text.getBytes(StandardCharsets.US_ASCII);
        upstream.answers = out -> {
          out.head("200", gzip ? "content-encoding: gzip" : "x: y", "etag: \"v1\"");
          out.chunks(gzip ? gzipped(body) : body, 50_000);
        };
        var answer = send(STRICT, mode, "GET", "");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-encoding")).isEmpty();
        assertThat(answer.headers().firstValue("etag")).contains("W/\"v1\"");
        assertThat(read(answer)).as("%s gzip %s", mode, gzip).isEqualTo(expected);
      }
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
  }

  @Test
  void a_stream_alone_on_its_connection_never_waits_for_a_window_that_nobody_flushes()
      throws Exception {
    var text = "{\"rows\":[" + (ROW + ",\n").repeat(80_000) + "0]}";
    var expected = text.replace(ROW, MASKED);
    upstream.answers = out -> {
      out.head("200", "x: y");
      out.chunks(text.getBytes(StandardCharsets.US_ASCII), 50_000);
    };
    for (var time = 0; time < 6; time++) {
      for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
        assertThat(read(send(STRICT, mode, "GET", "")).equals(expected))
            .as(mode.name())
            .isTrue();
      }
    }
  }

  @Test
  void a_response_refused_late_ends_at_once_and_never_looks_complete() throws Exception {
    var rows = "{\"rows\":[" + (ROW + ",\n").repeat(50_000);
    var tooMany =
        gzipped((rows + (ROW + ",\n").repeat(20_000) + "0]}").getBytes(StandardCharsets.US_ASCII));
    var begun = tooMany.length / 2;
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      assertThat(cutOff(
              mode,
              "x: y",
              rows.getBytes(StandardCharsets.US_ASCII),
              "oops 4222222222222222]}".getBytes(StandardCharsets.US_ASCII)))
          .as(mode.name())
          .doesNotContain("4222");
      assertThat(cutOff(
              mode,
              "content-encoding: gzip",
              Arrays.copyOf(tooMany, begun),
              Arrays.copyOfRange(tooMany, begun, tooMany.length)))
          .as(mode.name())
          .doesNotContain("4111");
    }
  }

  /**
   * What a client gets of a response that is cut off for its last part. The upstream holds that back until the client has seen the
   * response begin: before, the refusal would be an answer of its own.
   */
  private String cutOff(BodySendMode mode, String header, byte[] begin, byte[] last)
      throws IOException {
    var seen = new CountDownLatch(1);
    upstream.answers = out -> {
      out.head("200", header);
      out.chunked(begin, 10_000);
      if (!seen.await(10, TimeUnit.SECONDS)) {
        throw new IOException("the client never saw the response begin");
      }
      out.chunks(last, 1_000);
    };
    try (var socket = connect()) {
      request(socket, SMALL, mode, "GET", "");
      var got = new ByteArrayOutputStream();
      got.writeBytes(head(socket).getBytes(StandardCharsets.US_ASCII));
      var began = System.nanoTime();
      seen.countDown();
      try {
        socket.getInputStream().transferTo(got);
      } catch (SocketException e) {
        // A reset ends it as well.
      }
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
      var text = got.toString(StandardCharsets.US_ASCII);
      assertThat(text).startsWith("HTTP/1.1 200 ");
      assertThat(text.endsWith("\r\n0\r\n\r\n")).as("looks complete").isFalse();
      return text;
    }
  }

  @Test
  void a_request_refused_late_is_answered_at_once_and_never_looks_complete_to_the_upstream()
      throws Exception {
    var complete = new AtomicInteger();
    upstream.answers = out -> {
      complete.incrementAndGet();
      out.headOnly("204");
    };
    var row = "\"" + "x".repeat(50_000) + "\",\n";
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      for (var end : List.of("oops", row.repeat(30))) {
        try (var socket = connect()) {
          var out = new Out(socket.getOutputStream());
          request(socket, SMALL, mode, "POST", "transfer-encoding: chunked\r\n");
          out.chunk("[");
          for (var i = 0; i < 25; i++) {
            out.chunk(row);
          }
          var began = System.nanoTime();
          out.chunk(end);
          assertThat(head(socket))
              .as(mode.name())
              .startsWith(end.equals("oops") ? "HTTP/1.1 400 " : "HTTP/1.1 413 ");
          assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
        }
      }
    }
    assertThat(complete).hasValue(0);
  }

  @Test
  void a_status_without_a_body_takes_the_body_away_and_the_connection_stays_in_step()
      throws Exception {
    upstream.answers = out -> {
      out.head("200", "content-type: application/json");
      out.chunk("{\"deleted\": true, \"iban\": \"DE1\"}");
      out.end();
    };
    for (var mode :
        List.of(BodySendMode.BUFFERED, BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      for (var plan : List.of(EMPTYING, EMPTYING_DELETED)) {
        if (plan == EMPTYING_DELETED && mode == BodySendMode.STREAMED) {
          continue; // It gives no whole body.
        }
        try (var socket = connect()) {
          request(socket, plan, mode, "GET", "");
          assertThat(head(socket)).as(mode.name()).startsWith("HTTP/1.1 204 ");
          request(socket, plan, mode, "GET", "connection: close\r\n");
          assertThat(head(socket)).as(mode.name()).startsWith("HTTP/1.1 204 ");
          assertThat(socket.getInputStream().readAllBytes()).as(mode.name()).isEmpty();
        }
      }
    }
  }

  @Test
  void an_upgrade_is_refused_at_once_where_steps_want_bodies() throws Exception {
    var refused = new CountDownLatch(1);
    upstream.answers = out -> {
      out.switchProtocols("websocket");
      if (!refused.await(10, TimeUnit.SECONDS)) { // An upgraded connection does not end by itself.
        throw new IOException("the client was never answered");
      }
    };
    var upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var began = System.nanoTime();
      try (var socket = connect()) {
        request(socket, STRICT, mode, "GET", upgrade);
        assertThat(head(socket)).as(mode.name()).startsWith("HTTP/1.1 400 ");
      }
      try (var socket = connect()) {
        request(socket, MASKING, mode, "GET", upgrade);
        assertThat(head(socket)).as(mode.name()).startsWith("HTTP/1.1 502 ");
      }
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
    }
    refused.countDown();
  }

  @Test
  void an_upgraded_connection_passes_where_the_policy_lets_it() throws Exception {
    var seen = new CountDownLatch(1);
    upstream.answers = out -> {
      out.switchProtocols("websocket");
      out.write("a frame");
      if (!seen.await(10, TimeUnit.SECONDS)) {
        throw new IOException("the client never saw the frame");
      }
    };
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      try (var socket = connect()) {
        request(socket, PASSING, mode, "GET", "connection: upgrade\r\nupgrade: websocket\r\n");
        assertThat(head(socket)).as(mode.name()).startsWith("HTTP/1.1 101 ");
        assertThat(socket.getInputStream().readNBytes(7))
            .isEqualTo("a frame".getBytes(StandardCharsets.US_ASCII));
      }
    }
    seen.countDown();
  }

  @Test
  void an_offer_of_http_2_over_plain_text_is_no_upgrade() throws Exception {
    upstream.answers = out -> out.headOnly("204");
    for (var offer : List.of(
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
        "upgrade: h2c, http/2\r\n",
        "upgrade: websocket\r\n")) {
      try (var socket = connect()) {
        request(
            socket,
            STRICT,
            BodySendMode.FULL_DUPLEX_STREAMED,
            "POST",
            offer + "transfer-encoding: chunked\r\n");
        var out = new Out(socket.getOutputStream());
        out.chunk("{}");
        out.end();
        assertThat(head(socket)).as(offer).startsWith("HTTP/1.1 204 ");
      }
    }
  }

  private Socket connect() throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), gate.heeding());
    socket.setSoTimeout(20_000);
    return socket;
  }

  /** @param headers each with its line's end */
  private void request(
      Socket socket, TransformPlan plan, BodySendMode mode, String method, String headers)
      throws IOException {
    var head = method + " " + ProcessingGate.path(mode, mode)
        + " HTTP/1.1\r\nhost: any\r\nx-stream: " + number(plan) + "\r\n" + headers + "\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
  }

  /** The head of a response; not a byte of what follows is taken. */
  private static String head(Socket socket) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var b = socket.getInputStream().read();
      if (b < 0) {
        break;
      }
      head.append((char) b);
    }
    return head.toString();
  }

  @Test
  void an_event_stream_goes_on_event_by_event_in_every_mode() throws Exception {
    for (var mode :
        List.of(BodySendMode.BUFFERED, BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var seen = new CountDownLatch(1);
      upstream.answers = out -> {
        out.head("200", "content-type: text/event-stream");
        out.chunk("data: {\"card\":1}\n\n");
        if (!seen.await(10, TimeUnit.SECONDS)) {
          throw new IOException("the client never saw the first event");
        }
        out.chunk("data: last\n\n");
        out.end();
      };
      var answer = send(PASSING, mode, "GET", "");
      var first = answer.body().readNBytes("data: {\"card\":1}\n\n".length());
      seen.countDown();
      assertThat(new String(first, StandardCharsets.US_ASCII))
          .as(mode.name())
          .isEqualTo("data: {\"card\":1}\n\n");
      assertThat(read(answer)).isEqualTo("data: last\n\n");
    }
  }

  @Test
  void the_messages_of_grpc_pass_unharmed_where_the_policy_lets_them() throws Exception {
    var message = "\0\0\0\0\u0005{rows".getBytes(StandardCharsets.ISO_8859_1);
    for (var mode : List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      upstream.answers = out -> {
        out.head("200", "content-type: application/grpc+proto");
        out.chunks(message, 4);
      };
      assertThat(send(PASSING, mode, "GET", "").body().readAllBytes()).isEqualTo(message);
      assertThat(send(STRICT, mode, "GET", "").statusCode()).isEqualTo(502);
    }
  }

  @Test
  void a_body_that_is_only_described_is_not_described_as_the_one_before_the_edits()
      throws Exception {
    for (var mode : List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      upstream.answers = out -> out.headOnly(
          "200", "content-length: 4711", "content-digest: sha-256=:x:", "etag: \"v1\"");
      var head = send(STRICT, mode, "HEAD", "");
      assertThat(head.statusCode()).isEqualTo(200);
      assertThat(head.headers().firstValue("content-length")).isEmpty();
      assertThat(head.headers().firstValue("content-digest")).isEmpty();
      assertThat(head.headers().firstValue("etag")).contains("W/\"v1\"");

      upstream.answers = out -> out.headOnly("304", "etag: \"v1\"");
      var notModified = send(STRICT, mode, "GET", "");
      assertThat(notModified.statusCode()).isEqualTo(304);
      assertThat(notModified.headers().firstValue("etag")).contains("W/\"v1\"");
    }
  }

  @Test
  void what_is_no_json_is_refused_while_it_can_be_and_cut_off_after() throws Exception {
    var mode = BodySendMode.FULL_DUPLEX_STREAMED;
    upstream.answers = out -> {
      out.head("200", "x: y");
      out.chunk("<html>4111111111111111");
      out.end();
    };
    assertThat(send(STRICT, mode, "GET", "").statusCode()).isEqualTo(502);
    assertThat(send(STRICT, mode, "POST", "<xml>").statusCode()).isEqualTo(400);

    for (var streaming : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      upstream.answers = out -> {
        out.head("200", "x: y");
        out.chunk("{\"rows\":[" + ROW);
        out.chunk("oops 4222222222222222");
        out.end();
      };
      var response = send(STRICT, streaming, "GET", "");
      assertThat(response.statusCode()).isIn(200, 502);
      if (response.statusCode() == 200) { // The first piece had gone on.
        assertThatThrownBy(() -> read(response)).isInstanceOf(IOException.class);
      } else {
        assertThat(read(response)).doesNotContain("4222");
      }
    }
  }

  @Test
  void a_body_over_the_limit_is_413_whatever_length_it_says() throws Exception {
    upstream.answers = out -> {
      out.head("200", "x: y");
      out.chunk("{}");
      out.end();
    };
    var large = "\"" + "x".repeat(2 << 20) + "\"";
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var number = number(STRICT);
      var chunked = HttpRequest.newBuilder(uri(mode))
          .header("x-stream", Integer.toString(number))
          .POST(BodyPublishers.ofInputStream(
              () -> new ByteArrayInputStream(large.getBytes(StandardCharsets.US_ASCII))))
          .build();
      assertThat(client.send(chunked, BodyHandlers.ofString()).statusCode()).isEqualTo(413);
    }
    assertThat(send(STRICT, BodySendMode.FULL_DUPLEX_STREAMED, "POST", large).statusCode())
        .isEqualTo(413);
  }

  private int number(TransformPlan plan) {
    var number = numbers.incrementAndGet();
    plans.put(number, plan);
    return number;
  }

  private URI uri(BodySendMode mode) {
    return URI.create("http://127.0.0.1:" + gate.heeding() + ProcessingGate.path(mode, mode));
  }

  private HttpResponse<InputStream> send(
      TransformPlan plan, BodySendMode mode, String method, String body) throws Exception {
    var request = HttpRequest.newBuilder(uri(mode))
        .header("x-stream", Integer.toString(number(plan)))
        .timeout(Duration.ofSeconds(20))
        .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
        .build();
    return client.send(request, BodyHandlers.ofInputStream());
  }

  private static String read(HttpResponse<InputStream> answer) throws IOException {
    return new String(answer.body().readAllBytes(), StandardCharsets.US_ASCII);
  }

  private static byte[] gzipped(byte[] body) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(body);
    }
    return out.toByteArray();
  }

  /** What an upstream says to a request. */
  private interface Answer {
    void to(Out out) throws IOException, InterruptedException;
  }

  /** An HTTP/1.1 upstream whose every byte the test writes; one request a connection. */
  private static final class Upstream implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private volatile Answer answers = out -> out.headOnly("204");

    Upstream() throws IOException {
      Thread.ofVirtual().start(this::accept);
    }

    int port() {
      return server.getLocalPort();
    }

    private void accept() {
      while (!server.isClosed()) {
        try {
          var socket = server.accept();
          Thread.ofVirtual().start(() -> serve(socket));
        } catch (IOException e) {
          return; // It is closed.
        }
      }
    }

    private void serve(Socket socket) {
      try (socket) {
        var in = new BufferedInputStream(socket.getInputStream());
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          var b = in.read();
          if (b < 0) {
            return;
          }
          head.append((char) b);
        }
        var sent = head.toString().toLowerCase(java.util.Locale.ROOT);
        if (sent.contains("transfer-encoding: chunked")) {
          var tail = new StringBuilder();
          while (tail.indexOf("0\r\n\r\n") < 0) {
            var b = in.read();
            if (b < 0) {
              return;
            }
            tail.delete(0, Math.max(0, tail.length() - 4)).append((char) b);
          }
        }
        answers.to(new Out(socket.getOutputStream()));
        socket.shutdownOutput();
        in.transferTo(OutputStream.nullOutputStream());
      } catch (IOException e) {
        // Envoy may end a connection in the middle.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  private record Out(OutputStream out) {
    void head(String status, String... headers) throws IOException {
      write("HTTP/1.1 " + status + " x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
          + String.join("\r\n", headers) + "\r\n\r\n");
    }

    void headOnly(String status, String... headers) throws IOException {
      write("HTTP/1.1 " + status + " x\r\nconnection: close\r\n" + String.join("\r\n", headers)
          + "\r\n\r\n");
    }

    void switchProtocols(String to) throws IOException {
      write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: " + to + "\r\n\r\n");
    }

    void chunk(String text) throws IOException {
      write(Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
    }

    void chunks(byte[] body, int size) throws IOException {
      chunked(body, size);
      end();
    }

    /** The end is still to come. */
    void chunked(byte[] body, int size) throws IOException {
      for (var at = 0; at < body.length; at += size) {
        var count = Math.min(size, body.length - at);
        out.write((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.write(body, at, count);
        write("\r\n");
      }
    }

    void end() throws IOException {
      write("0\r\n\r\n");
    }

    private void write(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }
  }
}
