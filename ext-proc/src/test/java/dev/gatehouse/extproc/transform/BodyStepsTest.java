package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyFilter;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BodyStepsTest {
  private static final String MASK = "response: [{json: [{op: mask, at: /card, keepLast: 4}]}]";
  private static final String SET = """
      limits: {requestBytes: 1000, responseBytes: 1000}
      request:
      - json:
        - {op: set, at: /meta, value: {source: gateway, by: ["${request.method}"]}}
        - {op: remove, at: /items/*/secret}
      """;
  private static final String CARD = "{\"card\":\"4111111111111111\"}";
  private static final String MASKED = "{\"card\":\"************1111\"}";

  @Test
  void a_buffered_body_answers_once_and_sets_content_length() {
    var transforming = Transforming.by(MASK);
    var envoy = get(transforming)
        .responseHeaders(
            false, ":status", "200", "content-length", "27", "content-digest", "sha-256=:x:")
        .responseBody(CARD);
    assertThat(envoy.client().body()).isEqualTo(MASKED);
    assertThat(envoy.client().values("content-length")).containsExactly("27");
    assertThat(envoy.client().values("content-digest")).as("of the old body").isEmpty();
    assertThat(transforming.decision().detail()).isEqualTo("masked /card");
  }

  @Test
  void a_request_body_is_changed_with_templates_inside_of_values() {
    var envoy = post(SET, "{\"items\":[{\"secret\":1,\"n\":2}]}");
    assertThat(envoy.upstream().body())
        .isEqualTo("{\"items\":[{\"n\":2}],\"meta\":{\"source\":\"gateway\",\"by\":[\"POST\"]}}");
  }

  @Test
  void a_mask_by_two_stars_finds_its_member_at_any_level() {
    var envoy = get(Transforming.by("response: [{json: [{op: mask, at: /**/card, keepLast: 1}]}]"))
        .responseHeaders(false, ":status", "200")
        .responseBody("{\"card\":\"12\",\"a\":[{\"b\":{\"card\":\"34\"}}]}");
    assertThat(envoy.client().body())
        .isEqualTo("{\"card\":\"*2\",\"a\":[{\"b\":{\"card\":\"*4\"}}]}");
  }

  @Test
  void a_body_that_no_step_changes_goes_on_as_it_is() {
    var transforming = Transforming.by(MASK);
    var envoy =
        get(transforming).responseHeaders(false, ":status", "200").responseBody("{\"a\": 1}");
    assertThat(envoy.client().body()).isEqualTo("{\"a\": 1}");
    assertThat(envoy.client().values("content-length")).isEmpty();
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.UNCHANGED);
  }

  @Test
  void a_client_cannot_switch_a_mask_off_with_an_encoding_or_a_range() {
    var envoy = Transforming.by(MASK)
        .envoy()
        .requestHeaders(
            true,
            ":method",
            "GET",
            ":path",
            "/",
            "accept-encoding",
            "br, zstd",
            "range",
            "bytes=0-9",
            "if-range",
            "x");
    assertThat(envoy.upstream().values("accept-encoding")).containsExactly("identity");
    assertThat(envoy.upstream().values("range")).isEmpty();
    assertThat(envoy.upstream().values("if-range")).isEmpty();
    assertThat(acceptEncoding("gzip, br")).isEqualTo("gzip");
    assertThat(acceptEncoding("br;q=1, gzip;q=0")).isEqualTo("identity");
    assertThat(acceptEncoding("br, gzip; Q=0.00")).isEqualTo("identity");
    assertThat(acceptEncoding("br;q=1.0, gzip;q=0.001")).isEqualTo("gzip");
  }

  @Test
  void a_compressed_body_is_decoded_masked_and_sent_plain() throws Exception {
    for (var coding : new String[] {"gzip", "deflate"}) {
      var envoy = get(Transforming.by(MASK))
          .responseHeaders(
              false, ":status", "200", "content-encoding", coding, "content-length", "40")
          .responseBody(compressed(coding, CARD), true);
      assertThat(envoy.client().body()).isEqualTo(MASKED);
      assertThat(envoy.client().values("content-encoding")).isEmpty();
      assertThat(envoy.client().values("content-length")).containsExactly("27");
    }
  }

  @Test
  void a_gzip_bomb_is_given_up_at_the_limit() throws Exception {
    var bomb = compressed("gzip", "\"" + "0".repeat(5_000_000) + "\"");
    var answer = get(Transforming.by("limits: {responseBytes: 10000}\n" + MASK))
        .responseHeaders(false, ":status", "200", "content-encoding", "gzip")
        .responseBody(bomb, true)
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(502);
  }

  @Test
  void a_damaged_or_double_gzip_body_is_unprocessable() throws Exception {
    var gzip = compressed("gzip", CARD);
    assertThat(masked("gzip", gzip.substring(0, gzip.size() - 9))).isEqualTo(502);
    assertThat(masked("gzip", gzip.concat(gzip))).isEqualTo(502);
    assertThat(masked("gzip", ByteString.copyFromUtf8(CARD))).isEqualTo(502);
  }

  @Test
  void an_unknown_content_encoding_is_unprocessable() {
    assertThat(refusal(MASK, ":status", "200", "content-encoding", "br")).isEqualTo(502);
    assertThat(
            refusal(MASK, ":status", "200", "content-encoding", "gzip", "content-encoding", "gzip"))
        .isEqualTo(502);
  }

  @Test
  void a_part_of_a_body_is_unprocessable() {
    assertThat(refusal(MASK, ":status", "206")).isEqualTo(502);
  }

  @Test
  void another_charset_is_unprocessable_and_the_media_type_does_not_matter() {
    assertThat(refusal(MASK, ":status", "200", "content-type", "application/json; charset=utf-16"))
        .isEqualTo(502);
    var envoy = get(Transforming.by(MASK))
        .responseHeaders(false, ":status", "200", "content-type", "text/plain; charset=\"UTF-8\"")
        .responseBody(CARD);
    assertThat(envoy.client().body()).isEqualTo(MASKED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain; x-charset=utf-8; charset=utf-16le",
        "text/plain; charset=utf-8; charset=utf-16le",
        "text/plain; charset=utf-8,text/plain; charset=utf-16le",
        "text/plain; charset =utf-16le",
        "text/plain; charset=utf-8x",
        "text/plain; charset*=utf-16le"
      })
  void what_one_reader_takes_for_utf_8_and_another_for_something_else_is_unprocessable(
      String type) {
    assertThat(refusal(MASK, ":status", "200", "content-type", type)).isEqualTo(502);
  }

  @Test
  void other_parameters_beside_the_charset_are_nobodys_concern() {
    var envoy = get(Transforming.by(MASK))
        .responseHeaders(
            false, ":status", "200", "content-type", "a/b; v=1; charset=utf-8 ; profile=x")
        .responseBody(CARD);
    assertThat(envoy.client().body()).isEqualTo(MASKED);
  }

  @Test
  void an_upgraded_connection_is_refused_for_its_bytes_are_no_body() {
    assertThat(refusal(MASK, ":status", "101", "upgrade", "websocket")).isEqualTo(502);
    var upgrade = Transforming.by(SET)
        .envoy()
        .requestHeaders(false, ":method", "GET", ":path", "/", "upgrade", "websocket")
        .immediate();
    assertThat(upgrade.orElseThrow().getStatus().getCodeValue()).isEqualTo(400);
  }

  @Test
  void an_event_stream_is_refused_at_its_headers_because_its_body_would_never_come() {
    assertThat(refusal(MASK, ":status", "200", "content-type", "text/event-stream"))
        .isEqualTo(502);
  }

  /** What never ends would never arrive. */
  @Test
  void a_body_that_no_step_wants_is_not_held_back() {
    var peer = Transforming.by("""
        response:
        - when: response.headers['content-type'] == 'application/json'
          json: [{op: move, at: /a, to: /b}]
        """).open();
    var mode =
        ProcessingMode.newBuilder().setResponseBodyMode(BodySendMode.BUFFERED).build();
    var envoy = new EnvoyFilter(
        new EnvoyFilter.Settings(mode, true, false, true, false, 1_000), peer::send);
    envoy.requestHeaders(true, ":method", "GET", ":path", "/");
    envoy.take(peer.answer());
    envoy.responseHeaders(false, ":status", "200", "content-type", "text/event-stream");
    envoy.take(peer.answer());

    assertThat(envoy.override()).isNotNull();
    assertThat(envoy.override().getResponseBodyMode()).isEqualTo(BodySendMode.NONE);
  }

  @Test
  void a_body_that_is_no_json_is_400_to_a_request_and_502_to_a_response() {
    var transforming = Transforming.by(MASK);
    var response = get(transforming)
        .responseHeaders(false, ":status", "200")
        .responseBody("<html>")
        .immediate();
    assertThat(response.orElseThrow().getStatus().getCodeValue()).isEqualTo(502);
    assertThat(transforming.decision().reason()).isEqualTo("unprocessable");
    var request = post(SET, "<xml>").immediate();
    assertThat(request.orElseThrow().getStatus().getCodeValue()).isEqualTo(400);
  }

  @Test
  void passing_what_cannot_be_read_is_the_policys_opt_in() {
    var envoy = get(Transforming.by("onUnprocessable: Pass\n" + MASK))
        .responseHeaders(false, ":status", "200")
        .responseBody("<html>");
    assertThat(envoy.client().body()).isEqualTo("<html>");
  }

  @Test
  void
      a_body_over_the_limit_is_413_to_a_request_and_502_to_a_response_and_content_length_is_enough() {
    assertThat(post(SET, "\"" + "x".repeat(1000) + "\"")
            .immediate()
            .orElseThrow()
            .getStatus()
            .getCodeValue())
        .isEqualTo(413);
    var announced = Transforming.by(SET)
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/", "content-length", "1001");
    assertThat(announced.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(413);
    assertThat(refusal(
            "limits: {responseBytes: 10}\n" + MASK, ":status", "200", "content-length", "11"))
        .isEqualTo(502);
  }

  @Test
  void pass_does_not_lift_the_limit() {
    assertThat(refusal(
            "onUnprocessable: Pass\nlimits: {responseBytes: 10}\n" + MASK,
            ":status",
            "200",
            "content-length",
            "11"))
        .isEqualTo(502);
  }

  @Test
  void deep_nesting_is_unprocessable() {
    assertThat(post("request: [{json: [{op: remove, at: /a}]}]", "[".repeat(10_000))
            .immediate()
            .orElseThrow()
            .getStatus()
            .getCodeValue())
        .isEqualTo(400);
  }

  @Test
  void answers_without_a_body_are_fine() {
    for (var status : new String[] {"204", "304", "200"}) {
      var envoy = get(Transforming.by(MASK)).responseHeaders(true, ":status", status);
      assertThat(envoy.immediate()).isEmpty();
    }
    var empty =
        get(Transforming.by(MASK)).responseHeaders(false, ":status", "200").responseBody("");
    assertThat(empty.immediate()).isEmpty();
    var head = Transforming.by(MASK)
        .envoy()
        .requestHeaders(true, ":method", "HEAD", ":path", "/")
        .responseHeaders(
            false, ":status", "200", "content-length", "99999999", "content-encoding", "br");
    assertThat(head.immediate()).isEmpty();
  }

  @Test
  void a_body_with_trailers_is_whole_without_an_end_of_stream() {
    var envoy = get(Transforming.by(MASK))
        .responseHeaders(false, ":status", "200")
        .responseBody(ByteString.copyFromUtf8(CARD), false)
        .responseTrailers();
    assertThat(envoy.client().body()).isEqualTo(MASKED);
  }

  @Test
  void a_mode_that_does_not_bring_the_whole_body_fails_closed() {
    for (var mode : new BodySendMode[] {BodySendMode.NONE, BodySendMode.BUFFERED_PARTIAL}) {
      var transforming = Transforming.by(MASK);
      var envoy = transforming
          .envoyWithoutConfig()
          .bodies(BodySendMode.NONE, mode)
          .requestHeaders(true, ":method", "GET", ":path", "/")
          .responseHeaders(false, ":status", "200");
      assertThat(envoy.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(500);
      assertThat(transforming.decision().outcome()).isEqualTo(Outcome.FAILED);
    }
  }

  @Test
  void a_body_whose_headers_the_mode_leaves_out_fails_closed_where_there_are_steps() {
    var envoy = Transforming.by(MASK)
        .envoyWithoutConfig()
        .bodies(BodySendMode.BUFFERED, BodySendMode.BUFFERED)
        .requestBody("{}")
        .responseBody(CARD);
    assertThat(envoy.upstream().body()).as("no steps").isEqualTo("{}");
    assertThat(envoy.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(500);
  }

  @Test
  void without_protocol_config_the_mode_is_learnt_from_the_messages() {
    var whole = Transforming.by(MASK)
        .envoyWithoutConfig()
        .requestHeaders(true, ":method", "GET", ":path", "/")
        .responseHeaders(false, ":status", "200")
        .responseBody(CARD);
    assertThat(whole.client().body()).isEqualTo(MASKED);
    var chunk = Transforming.by(MASK)
        .envoyWithoutConfig()
        .untoldBodies(BodySendMode.NONE, BodySendMode.STREAMED)
        .allowReset()
        .requestHeaders(true, ":method", "GET", ":path", "/")
        .responseHeaders(false, ":status", "200")
        .responseBody(ByteString.copyFromUtf8("{\"card\":"), false);
    assertThat(chunk.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(500);
  }

  @Test
  void a_large_body_is_transformed_off_the_loop() {
    var padding = ",\"pad\":\"" + "x".repeat(200_000) + "\"}";
    var envoy = get(Transforming.by(MASK))
        .responseHeaders(false, ":status", "200")
        .responseBody(CARD.replace("}", padding));
    assertThat(envoy.client().body()).isEqualTo(MASKED.replace("}", padding));
  }

  @Test
  void json_steps_change_what_a_body_template_made() {
    var envoy = get(Transforming.by("""
        response:
        - body: {template: '{"id":"${request.method}","card":"4111"}'}
        - json: [{op: mask, at: /card}]
        """)).responseHeaders(true, ":status", "500");
    assertThat(envoy.client().body()).isEqualTo("{\"id\":\"GET\",\"card\":\"****\"}");
  }

  private static EnvoyStream get(Transforming transforming) {
    return transforming.envoy().requestHeaders(true, ":method", "GET", ":path", "/");
  }

  private static EnvoyStream post(String spec, String body) {
    return Transforming.by(spec)
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/")
        .requestBody(body);
  }

  private static int refusal(String spec, String... responseHeaders) {
    return get(Transforming.by(spec))
        .responseHeaders(false, responseHeaders)
        .immediate()
        .orElseThrow()
        .getStatus()
        .getCodeValue();
  }

  private static int masked(String coding, ByteString body) {
    return get(Transforming.by(MASK))
        .responseHeaders(false, ":status", "200", "content-encoding", coding)
        .responseBody(body, true)
        .immediate()
        .orElseThrow()
        .getStatus()
        .getCodeValue();
  }

  private static String acceptEncoding(String sent) {
    return Transforming.by(MASK)
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", "/", "accept-encoding", sent)
        .upstream()
        .values("accept-encoding")
        .getFirst();
  }

  private static ByteString compressed(String coding, String text) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var out =
        coding.equals("gzip") ? new GZIPOutputStream(bytes) : new DeflaterOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }
}
