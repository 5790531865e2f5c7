package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.stream.Direction;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bodies that are spliced as they come: what is refused, what is bounded, what the headers say. */
class ChunkedBodyTest {
  private static final String MASK = "[{json: [{op: mask, at: /records/*/card}]}]";
  private static final String POLICY = """
      limits: {requestBytes: 1000, responseBytes: 200Mi}
      request: %s
      response: %s
      """.formatted(MASK, MASK);
  private static final String BEGIN = "{\"records\":[";
  private static final String CARD = "{\"card\":\"4111\"}";
  private static final String MASKED = "{\"card\":\"****\"}";

  @Test
  void a_first_piece_that_is_no_json_is_refused_before_anything_has_gone() {
    var request = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
    request.requestHeaders("content-type", "application/json");
    request.request("<xml>", false);
    assertThat(request.status()).isEqualTo(400);
    assertThat(request.envoy.request().headersGone()).isFalse();

    var response = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED).got();
    response.responseHeaders();
    response.response("<xml>", false);
    assertThat(response.status()).isEqualTo(502);
    assertThat(response.envoy.response().headersGone()).isFalse();
  }

  @Test
  void a_later_piece_that_is_no_json_ends_the_stream_and_is_never_sent() {
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var stream = new PlayedStream(POLICY, mode).got();
      stream.responseHeaders();
      stream.response(BEGIN + CARD, false);
      stream.response("oops" + CARD, false);
      assertThat(stream.envoy.response().passed().toStringUtf8()).isEqualTo(BEGIN + MASKED);
      assertThat(stream.status()).as("Envoy resets its stream").isEqualTo(502);
      assertThat(stream.transforming.decision().reason()).isEqualTo("unprocessable");
    }
  }

  @Test
  void a_text_that_ends_early_is_refused_even_if_only_trailers_say_so() {
    var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
    stream.requestHeaders("x", "y");
    stream.request(BEGIN + CARD, false);
    stream.envoy.requestTrailers();
    stream.take();
    assertThat(stream.status()).isEqualTo(400);
  }

  @Test
  void the_limit_is_of_what_has_come_and_413_as_long_as_the_response_has_not_begun() {
    var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
    stream.requestHeaders("x", "y");
    stream.request(BEGIN, false);
    var sent = BEGIN.length();
    while (stream.status() == 0) {
      stream.request(CARD + ",", false);
      sent += CARD.length() + 1;
    }
    assertThat(stream.status()).isEqualTo(413);
    assertThat(sent).isBetween(1001, 1000 + CARD.length() + 1);
    assertThat(stream.transforming.decision().reason()).isEqualTo("too-large");
  }

  @Test
  void the_limit_is_of_what_was_decoded_too() {
    var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
    stream.requestHeaders("content-encoding", "gzip");
    var body = Codings.gzip((BEGIN + " ".repeat(2000)).getBytes(StandardCharsets.US_ASCII));
    assertThat(body.length).isLessThan(1000);
    stream.envoy.requestData(ByteString.copyFrom(body), false);
    stream.take();
    assertThat(stream.status()).isEqualTo(413);
  }

  @Test
  void small_bodies_of_a_known_length_are_taken_whole_so_that_they_can_be_refused() {
    var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
    stream.requestHeaders("content-length", "30");
    stream.request(BEGIN + CARD, false);
    assertThat(stream.envoy.request().headersGone()).isFalse();
    stream.request(",,", true);
    assertThat(stream.status()).isEqualTo(400);
  }

  @Test
  void the_headers_that_speak_of_the_bytes_follow_the_first_piece() {
    for (var mode : List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED)) {
      var stream = new PlayedStream(POLICY, mode).got();
      stream.responseHeaders(
          "etag", "\"v1\"", "content-digest", "sha-256=:x:", "accept-ranges", "bytes");
      stream.response(BEGIN, false);
      var headers = stream.envoy.response().message();
      assertThat(headers.values("etag")).containsExactly("W/\"v1\"");
      assertThat(headers.values("content-digest")).isEmpty();
      assertThat(headers.values("accept-ranges")).isEmpty();
    }
  }

  @Test
  void a_policy_that_sets_the_entity_tag_is_asked_which_one_to_weaken() {
    var stream = new PlayedStream("""
        response: [{headers: {set: {etag: '"mine"'}}, json: [{op: mask, at: /card}]}]
        """, BodySendMode.FULL_DUPLEX_STREAMED).got();
    stream.responseHeaders("etag", "\"v1\"");
    stream.response("{\"card\":\"1\"}", true);
    assertThat(stream.envoy.response().message().values("etag")).containsExactly("W/\"mine\"");
  }

  @Test
  void headers_of_a_body_that_is_not_sent_do_not_describe_the_old_one() {
    for (var status : List.of("200", "304")) {
      var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED);
      stream.envoy.requestHeaders(
          true, ":method", status.equals("200") ? "HEAD" : "GET", ":path", "/");
      stream.take();
      stream.envoy.responseHeaders(
          true, ":status", status, "content-length", "4711", "etag", "\"v1\"", "repr-digest", "x");
      stream.take();
      var headers = stream.envoy.response().message();
      assertThat(headers.values("content-length")).isEmpty();
      assertThat(headers.values("repr-digest")).isEmpty();
      assertThat(headers.values("etag")).containsExactly("W/\"v1\"");
      assertThat(stream.envoy.response().passed()).isEqualTo(ByteString.EMPTY);
    }
  }

  @Test
  void an_encoded_body_that_is_damaged_passes_as_it_came_where_it_may() {
    var stream = new PlayedStream(
            "onUnprocessable: Pass\nresponse: " + MASK, BodySendMode.FULL_DUPLEX_STREAMED)
        .got();
    stream.responseHeaders("content-encoding", "gzip", "content-digest", "x");
    stream.response("this is ", false);
    stream.response("no gzip", true);
    assertThat(stream.envoy.response().passed().toStringUtf8()).isEqualTo("this is no gzip");
    assertThat(stream.envoy.response().message().values("content-encoding")).contains("gzip");
    assertThat(stream.envoy.response().message().values("content-digest")).contains("x");
    assertThat(stream.transforming.decision().reason()).isEqualTo("unprocessable-passed");
  }

  @Test
  void what_all_edits_make_too_much_of_passes_from_there_without_a_byte_lost_or_said_twice() {
    var value = "x".repeat(4_000);
    var stream =
        new PlayedStream("""
        onUnprocessable: Pass
        response:
        - json: [{op: set, at: /**/a, value: %s}]
        - json: [{op: set, at: /**/b, value: %s}]
        """.formatted(value, value), BodySendMode.FULL_DUPLEX_STREAMED).got();
    var before = "[" + "0,".repeat(500_000);
    var grows = "{\"a\":1},".repeat(700) + "{\"b\":1},".repeat(3_000);
    stream.responseHeaders();
    stream.response(before, false);
    stream.response(grows, false);
    stream.response("{\"a\":1}]", true);
    assertThat(stream.envoy.response().passed().toStringUtf8())
        .isEqualTo(before + grows.replace("1", "\"" + value + "\"") + "{\"a\":1}]");
    assertThat(stream.transforming.decision().reason()).isEqualTo("unprocessable-passed");
  }

  @Test
  void what_is_damaged_after_some_of_it_was_decoded_cannot_pass() {
    var stream = new PlayedStream(
            "onUnprocessable: Pass\nresponse: " + MASK, BodySendMode.FULL_DUPLEX_STREAMED)
        .got();
    stream.responseHeaders("content-encoding", "gzip");
    var body = Codings.gzip((BEGIN + CARD + "]}").getBytes(StandardCharsets.US_ASCII));
    stream.envoy.responseData(ByteString.copyFrom(body, 0, body.length - 4), false);
    stream.take();
    stream.envoy.responseData(ByteString.copyFromUtf8("oops"), true);
    stream.take();
    assertThat(stream.status()).isEqualTo(502);
  }

  @Test
  void what_a_piece_unfolds_to_is_worked_out_in_portions_when_the_one_before_has_gone() {
    var jobs = new ArrayDeque<Runnable>();
    var transforming = Transforming.by(POLICY);
    var stream = new PlayedStream(
            transforming, transforming.open(jobs::add), BodySendMode.FULL_DUPLEX_STREAMED)
        .got();
    stream.responseHeaders("content-encoding", "gzip");
    var text = BEGIN + (CARD + ",\n" + " ".repeat(900)).repeat(1_100) + CARD + "]}";
    var body = Codings.gzip(text.getBytes(StandardCharsets.US_ASCII));
    stream.envoy.responseData(ByteString.copyFrom(body), false);
    stream.take();
    var before = stream.envoy.response().passed().size();
    assertThat(before).as("made on the event loop").isBetween(1, 80 << 10);
    var portions = 0;
    while (!jobs.isEmpty()) {
      stream.peer.ready(false);
      jobs.remove().run();
      assertThat(jobs).as("work before what was made has gone").isEmpty();
      stream.peer.ready(true);
      stream.take();
      var now = stream.envoy.response().passed().size();
      assertThat(now - before).as("bytes at a time").isLessThan(300 << 10);
      before = now;
      portions++;
    }
    assertThat(portions).isBetween(3, 10);
    stream.response("", true);
    assertThat(stream.envoy.response().ended()).isTrue();
    assertThat(stream.envoy.response().passed().toStringUtf8())
        .isEqualTo(text.replace(CARD, MASKED));
  }

  @Test
  void a_piece_as_large_as_the_loop_makes_is_made_at_once_where_each_has_one_answer() {
    for (var size : List.of((64 << 10) - 1, 64 << 10, (64 << 10) + 1)) {
      var stream = new PlayedStream(POLICY, BodySendMode.STREAMED).got();
      stream.responseHeaders();
      var begin = BEGIN + " ".repeat(size - BEGIN.length());
      stream.response(begin, false);
      stream.response(CARD + "]}", true);
      assertThat(stream.status()).as("%s bytes", size).isZero();
      assertThat(stream.envoy.response().passed().toStringUtf8()).isEqualTo(begin + MASKED + "]}");
    }
  }

  @Test
  void what_a_piece_unfolds_to_is_bounded_where_it_must_be_said_at_once() {
    for (var mib : List.of(31, 33)) {
      var stream = new PlayedStream(POLICY, BodySendMode.STREAMED).got();
      stream.responseHeaders("content-encoding", "gzip");
      var text = new StringBuilder(BEGIN);
      for (var row = 0; text.length() < mib << 20; row++) {
        text.append(CARD).append(',').append(row).append(" ".repeat(100)).append(',');
      }
      var body = Codings.gzip(text.append("0]}").toString().getBytes(StandardCharsets.US_ASCII));
      stream.envoy.responseData(ByteString.copyFrom(body), true);
      stream.forget();
      assertThat(stream.transforming.decision().reason())
          .as("%s MiB", mib)
          .isEqualTo(mib < 32 ? "changed" : "too-large");
    }
  }

  @Test
  void a_hundred_megabytes_go_through_a_stream_that_holds_no_more_than_a_piece() {
    var stream = new PlayedStream(POLICY, BodySendMode.FULL_DUPLEX_STREAMED).got();
    stream.responseHeaders();
    var piece = ByteString.copyFromUtf8((CARD + ",\n").repeat(3_800));
    stream.response(BEGIN, false);
    for (var sent = 0; sent < 100_000_000; sent += piece.size()) {
      stream.envoy.responseData(piece, false);
      assertThat(stream.peer.held(Direction.RESPONSE)).isLessThanOrEqualTo(piece.size() / 1000);
      stream.forget();
    }
    stream.response("0]}", true);
    assertThat(stream.status()).isZero();
    assertThat(stream.last).isEqualTo("0]}");
  }

  @Test
  void a_stream_that_ends_in_the_middle_lets_go_of_its_decoder() {
    var edits = JsonEdits.of(List.of(new JsonEdit.Mask(JsonPath.parse("/a"), 0)));
    var body =
        new ChunkedBody(List.of(new BodyEdit.Json(edits)), ContentCoding.GZIP, 1000, false, true);
    body.take(
        ByteString.copyFrom(Codings.gzip("{\"a\":".getBytes(StandardCharsets.US_ASCII))), false);
    assertThat(body.work(1000)).isInstanceOf(ChunkedBody.Made.Some.class);
    assertThat(body.isFreed()).isFalse();
    body.close();
    assertThat(body.isFreed()).isTrue();
    assertThatThrownBy(() -> body.work(1)).isInstanceOf(IllegalStateException.class);
    body.close();
  }

  @Test
  void a_stream_that_ends_while_a_worker_is_at_it_lets_go_when_that_has_done() {
    var jobs = new ArrayList<Runnable>();
    var transforming = Transforming.by(POLICY);
    var stream =
        new PlayedStream(transforming, transforming.open(jobs::add), BodySendMode.STREAMED).got();
    stream.responseHeaders("content-encoding", "gzip");
    stream.envoy.responseData(
        ByteString.copyFrom(Codings.gzip(BEGIN.getBytes(StandardCharsets.US_ASCII))), false);
    assertThat(jobs).hasSize(1);
    stream.peer.cancel();
    jobs.forEach(Runnable::run);
    assertThat(stream.peer.timers()).isZero();
  }
}
