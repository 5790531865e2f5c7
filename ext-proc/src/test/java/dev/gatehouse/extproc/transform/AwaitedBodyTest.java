package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Steps that read a body wait for it, and those after them; they are never left out in silence. */
class AwaitedBodyTest {
  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  private static final String GUARD = """
      request:
      - headers: {set: {x-early: "1", x-both: early}}
      - json: [{op: remove, at: /secret}]
      - when: "!has(request.body.token)"
        respond: {status: 403, body: "no token"}
      - headers: {remove: [x-both], set: {x-token: "${request.body.token}"}}
      - json: [{op: set, at: /seen, value: true}]
      """;

  private static final String CORRELATE = """
      response: [{headers: {set: {x-order: "${request.body.order}"}}}]
      """;

  @Test
  void they_see_the_body_as_the_steps_before_left_it_and_change_headers_and_body() {
    for (var mode : MODES) {
      var stream = new PlayedStream(GUARD, mode);
      stream.requestHeaders("x-client", "a");
      stream.request("{\"token\":\"t\",\"secret\":1}", true);
      var headers = stream.envoy.request().message();
      assertThat(stream.status()).isZero();
      assertThat(headers.values("x-early")).containsExactly("1");
      assertThat(headers.values("x-both"))
          .as("removed after it was set, " + mode)
          .isEmpty();
      assertThat(headers.values("x-token")).containsExactly("t");
      assertThat(stream.envoy.request().passed().toStringUtf8())
          .isEqualTo("{\"token\":\"t\",\"seen\":true}");
    }
  }

  @Test
  void one_that_answers_does_so_before_anything_has_gone() {
    for (var mode : MODES) {
      var stream = new PlayedStream(GUARD, mode);
      stream.requestHeaders("x-client", "a");
      stream.request("{\"secret\":1}", true);
      assertThat(stream.status()).isEqualTo(403);
      assertThat(stream.envoy.request().headersGone()).isFalse();
    }
  }

  @Test
  void without_a_body_they_are_run_at_the_headers() {
    for (var mode : MODES) {
      assertThat(new PlayedStream(GUARD, mode).got().status()).isEqualTo(403);
    }
  }

  @Test
  void trailers_without_a_body_do_not_switch_them_off() {
    for (var mode : MODES) {
      var stream = new PlayedStream(GUARD, mode);
      stream.requestHeaders("x-client", "a");
      stream.envoy.requestTrailers();
      stream.take();
      assertThat(stream.status()).as(mode.name()).isEqualTo(403);
    }
  }

  @Test
  void what_they_would_change_where_the_headers_have_gone_fails_the_request() {
    var policy = """
        request: [{headers: {set: {x-has: "${has(request.body.a)}"}}}]
        """;
    var held = new PlayedStream(policy, BodySendMode.FULL_DUPLEX_STREAMED);
    held.requestHeaders("x-client", "a");
    held.envoy.requestTrailers();
    held.take();
    assertThat(held.status()).isZero();
    assertThat(held.envoy.request().message().values("x-has")).containsExactly("false");

    var gone = new PlayedStream(policy, BodySendMode.BUFFERED);
    gone.requestHeaders("x-client", "a");
    gone.envoy.requestTrailers();
    gone.take();
    assertThat(gone.status()).isEqualTo(500);
    assertThat(gone.transforming.decision().reason()).isEqualTo("body-unavailable");
  }

  @Test
  void response_steps_may_read_the_requests_body() {
    for (var mode : MODES) {
      var stream = new PlayedStream(CORRELATE, mode);
      stream.requestHeaders("x-client", "a");
      stream.request("{\"order\":\"o-7\"}", true);
      assertThat(stream.envoy.request().passed().toStringUtf8()).isEqualTo("{\"order\":\"o-7\"}");
      stream.envoy.responseHeaders(true, ":status", "200");
      stream.take();
      assertThat(stream.status()).as("%s", stream.transforming).isZero();
      assertThat(stream.envoy.response().message().values("x-order")).containsExactly("o-7");
    }
  }

  @Test
  void a_body_that_cannot_be_read_is_refused_or_passes_without_the_steps_that_read_it() {
    for (var mode : MODES) {
      var refused = new PlayedStream(GUARD, mode);
      refused.requestHeaders("x-client", "a");
      refused.request("<xml>", true);
      assertThat(refused.status()).isEqualTo(400);

      for (var unreadable : List.of("text/event-stream", "application/json")) {
        var skipped = new PlayedStream("onUnprocessable: Pass\n" + """
          request:
          - {headers: {set: {x-token: "${request.body.token}"}}}
          - {headers: {set: {x-after: "1"}}}
          """, mode);
        skipped.requestHeaders("content-type", unreadable);
        skipped.request("<xml>", true);
        assertThat(skipped.status()).isZero();
        assertThat(skipped.envoy.request().message().values("x-token")).isEmpty();
        assertThat(skipped.envoy.request().message().values("x-after")).containsExactly("1");
        assertThat(skipped.envoy.request().passed().toStringUtf8()).isEqualTo("<xml>");
      }
    }
  }

  @Test
  void a_response_that_they_change_says_its_length_and_no_old_sums() {
    for (var mode : MODES) {
      var stream = new PlayedStream("""
          response:
          - when: response.body.error == true
            status: 502
            body: {template: '{"failed":"${response.body.code}"}'}
          """, mode).got();
      stream.responseHeaders("etag", "\"a\"", "content-digest", "x", "content-length", "27");
      stream.response("{\"error\":true,\"code\":\"E1\"}", true);
      var headers = stream.envoy.response().message();
      assertThat(stream.status()).isZero();
      assertThat(headers.values(":status")).containsExactly("502");
      assertThat(headers.values("content-digest")).isEmpty();
      assertThat(stream.envoy.response().passed().toStringUtf8()).isEqualTo("{\"failed\":\"E1\"}");
    }
  }
}
