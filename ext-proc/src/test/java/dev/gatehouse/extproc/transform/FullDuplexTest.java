package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.testkit.EnvoyFilter;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A policy whose gateway sends bodies in FULL_DUPLEX_STREAMED: they are gathered, and what is said to the headers waits for them. */
class FullDuplexTest {
  private static final String POLICY = """
      limits: {requestBytes: 200, responseBytes: 200}
      request: [{headers: {set: {x-by: gateway}}, json: [{op: set, at: /by, value: gateway}]}]
      response: [{json: [{op: mask, at: /card, keepLast: 4}]}]
      """;
  private static final String CARD = "{\"card\":\"4111111111111111\"}";
  private static final String MASKED = "{\"card\":\"************1111\"}";

  private Transforming transforming;
  private DirectPeer peer;
  private EnvoyFilter envoy;

  @BeforeEach
  void open() {
    transforming = Transforming.by(POLICY);
    peer = transforming.open();
    var duplex = ProcessingMode.newBuilder()
        .setRequestBodyMode(BodySendMode.FULL_DUPLEX_STREAMED)
        .setResponseBodyMode(BodySendMode.FULL_DUPLEX_STREAMED)
        .setRequestTrailerMode(HeaderSendMode.SEND)
        .setResponseTrailerMode(HeaderSendMode.SEND);
    envoy = new EnvoyFilter(
        new EnvoyFilter.Settings(duplex.build(), false, false, true, false, 100), peer::send);
  }

  @Test
  void both_bodies_are_changed_whatever_their_chunks() {
    envoy.requestHeaders(false, ":method", "POST", ":path", "/");
    envoy.requestData(text("{\"a\""), false);
    envoy.requestData(text(":1}"), true);
    take();
    assertThat(envoy.request().passed().toStringUtf8()).isEqualTo("{\"a\":1,\"by\":\"gateway\"}");
    assertThat(envoy.request().message().values("x-by")).containsExactly("gateway");

    envoy.responseHeaders(false, ":status", "200");
    for (var i = 0; i < CARD.length(); i++) {
      envoy.responseData(text(CARD.substring(i, i + 1)), i == CARD.length() - 1);
    }
    take();
    assertThat(envoy.response().passed().toStringUtf8()).isEqualTo(MASKED);
    assertThat(envoy.response().ended()).isTrue();
  }

  @Test
  void a_response_that_comes_before_the_request_is_over_changes_nothing_about_the_request() {
    envoy.requestHeaders(false, ":method", "POST", ":path", "/");
    envoy.requestData(text("{\"a\""), false);
    take();
    envoy.responseHeaders(false, ":status", "200");
    envoy.responseData(text(CARD), true);
    take();
    assertThat(envoy.response().passed().toStringUtf8()).isEqualTo(MASKED);
    envoy.requestData(text(":1}"), true);
    take();
    assertThat(envoy.request().passed().toStringUtf8()).isEqualTo("{\"a\":1,\"by\":\"gateway\"}");
  }

  @Test
  void the_encoding_leaves_the_headers_with_the_decoded_body() throws IOException {
    envoy.responseHeaders(false, ":status", "200", "content-encoding", "gzip");
    envoy.responseData(gzip(CARD), true);
    take();
    assertThat(envoy.response().message().values("content-encoding")).isEmpty();
    assertThat(envoy.response().passed().toStringUtf8()).isEqualTo(MASKED);
  }

  @Test
  void a_body_over_the_policys_limit_is_413_or_502_before_anything_has_gone() {
    envoy.requestHeaders(false, ":method", "POST", ":path", "/");
    envoy.requestData(text("{\"a\":\"" + "x".repeat(200)), false);
    take();
    assertThat(status()).isEqualTo(413);
    assertThat(transforming.decision().reason()).isEqualTo("too-large");

    open();
    envoy.responseHeaders(false, ":status", "200");
    envoy.responseData(text("{\"a\":\"" + "x".repeat(200)), false);
    take();
    assertThat(status()).isEqualTo(502);
  }

  @Test
  void a_body_that_cannot_be_read_is_refused_and_trailers_change_nothing_about_that() {
    envoy.requestHeaders(false, ":method", "POST", ":path", "/");
    envoy.requestData(text("{\"a\":"), false);
    envoy.requestTrailers();
    take();
    assertThat(status()).isEqualTo(400);
  }

  private int status() {
    var immediate = envoy.immediate();
    return immediate == null ? 0 : immediate.getStatus().getCodeValue();
  }

  private void take() {
    for (var answer = peer.receive(); answer != null; answer = peer.receive()) {
      envoy.take(answer);
    }
  }

  private static ByteString text(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static ByteString gzip(String text) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }
}
