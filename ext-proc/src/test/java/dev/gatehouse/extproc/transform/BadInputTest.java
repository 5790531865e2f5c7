package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.re2j.Pattern;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyExchange;
import dev.gatehouse.testkit.EnvoyStream;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What clients and upstreams send that nobody should: refused or passed as the policy says, in bounded time and memory. */
class BadInputTest {
  private static final String MASK = "request: [{json: [{op: mask, at: /**/card}]}]\n"
      + "response: [{json: [{op: mask, at: /**/card}]}]\n";
  /** Needs the whole body, and gathers it. */
  private static final String MOVE = "request: [{json: [{op: move, at: /card, to: /a}]}]\n"
      + "response: [{json: [{op: move, at: /card, to: /a}]}]\n";

  private static final String PASSING = "onUnprocessable: Pass\n" + MASK;

  /** The whole in one message, all in pieces, and a piece that shows too late that it is wrong. */
  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  @Test
  void truncated_json_is_400_or_502_and_passes_as_it_is_where_the_policy_says_so() {
    for (var text : List.of("{\"a\":[1,2", "{\"a\":\"b", "{\"a\"", "[", "{\"a\":tru")) {
      refused(ByteString.copyFromUtf8(text));
      passed(ByteString.copyFromUtf8(text));
    }
  }

  @Test
  void invalid_json_is_400_or_502_and_passes_as_it_is_where_the_policy_says_so() {
    for (var text : List.of("<html>", "{a:1}", "{\"a\":01}", "[1,]", "{} {}", "'a'", "\u0000")) {
      refused(ByteString.copyFromUtf8(text));
      passed(ByteString.copyFromUtf8(text));
    }
  }

  @Test
  void invalid_utf_8_in_json_is_no_json() {
    for (var bytes : List.of(
        new byte[] {'"', (byte) 0xff, '"'},
        new byte[] {'"', (byte) 0xc0, (byte) 0xaf, '"'},
        new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
        new byte[] {'"', (byte) 0xe2, (byte) 0x82, '"'})) {
      refused(ByteString.copyFrom(bytes));
      passed(ByteString.copyFrom(bytes));
    }
  }

  @Test
  void ten_thousand_levels_are_no_json_that_anybody_means() {
    refused(ByteString.copyFromUtf8("[".repeat(10_000) + "]".repeat(10_000)));
    refused(ByteString.copyFromUtf8("{\"a\":".repeat(10_000) + "1" + "}".repeat(10_000)));
  }

  private static void refused(ByteString body) {
    for (var mode : MODES) {
      var text = mode + " " + body.size() + " bytes";
      var request = Transforming.by(MASK);
      EnvoyStream.request("POST /", body)
          .mode(mode)
          .through(request.open())
          .expectStatus(400)
          .expectNoUpstream();
      assertThat(request.decision().reason()).as(text).isEqualTo("unprocessable");
      var response = Transforming.by(MASK);
      EnvoyStream.request("GET /")
          .mode(mode)
          .respond(200, body)
          .through(response.open())
          .expectStatus(502);
      assertThat(response.decision().reason()).as(text).isEqualTo("unprocessable");
    }
  }

  private static void passed(ByteString body) {
    for (var mode : MODES) {
      var transforming = Transforming.by(PASSING);
      EnvoyStream.request("POST /", body)
          .mode(mode)
          .respond(200, body)
          .through(transforming.open())
          .expectUpstreamBody(body)
          .expectBody(body);
      assertThat(transforming.decision().reason()).isEqualTo("unprocessable-passed");
    }
  }

  @Test
  void bytes_of_a_header_that_are_no_utf_8_harm_nobody_and_go_on_as_they_are() {
    var transforming = Transforming.by("""
        request:
        - headers: {set: {x-seen: "${request.headers['x-bytes']}"}}
        - when: request.headers['x-bytes'].contains('admin')
          respond: {status: 403, body: no}
        """);
    var peer = transforming.open();
    var headers = HeaderMap.newBuilder()
        .addHeaders(HeaderValue.newBuilder()
            .setKey("x-bytes")
            .setRawValue(ByteString.copyFrom(new byte[] {'a', (byte) 0xff, (byte) 0xc3})));
    var answer = peer.answerTo(ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.newBuilder().setHeaders(headers).setEndOfStream(true))
        .build());
    var mutation = answer.getRequestHeaders().getResponse().getHeaderMutation();
    assertThat(mutation.getRemoveHeadersList()).doesNotContain("x-bytes");
    assertThat(mutation.getSetHeadersList())
        .extracting(option -> option.getHeader().getKey())
        .containsExactly("x-seen");
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.CHANGED);
  }

  @Test
  void a_gigabyte_against_a_limit_of_one_megabyte_is_given_up_at_the_limit() {
    var transforming = Transforming.by("limits: {requestBytes: 1Mi, responseBytes: 1Mi}\n" + MASK);
    var peer = transforming.open();
    peer.send(ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.getDefaultInstance())
        .setProtocolConfig(ProtocolConfiguration.newBuilder()
            .setRequestBodyMode(BodySendMode.FULL_DUPLEX_STREAMED))
        .build());
    var piece = ByteString.copyFrom(new byte[] {'['}).concat(spaces(1 << 16));
    var sent = 0L;
    ProcessingResponse last = null;
    for (var pieces = 0; pieces < 1 << 14 && peer.closed() == null; pieces++) {
      sent += piece.size();
      peer.send(body(piece));
      piece = spaces(1 << 16);
      for (var answer = peer.receive(); answer != null; answer = peer.receive()) {
        last = answer;
      }
    }
    assertThat(sent).as("bytes taken of a gigabyte").isLessThan((1 << 20) + 2 * (1 << 16));
    assertThat(last).isNotNull();
    assertThat(last.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(413);
    assertThat(transforming.decision().reason()).isEqualTo("too-large");
  }

  private static ByteString spaces(int count) {
    return ByteString.copyFromUtf8(" ".repeat(count));
  }

  private static ProcessingRequest body(ByteString piece) {
    return ProcessingRequest.newBuilder()
        .setRequestBody(HttpBody.newBuilder().setBody(piece))
        .build();
  }

  @Test
  void a_content_length_that_says_less_than_comes_lifts_no_limit() {
    var body = "{\"a\":\"" + "x".repeat(3000) + "\"}";
    for (var mode : MODES) {
      var exchange = EnvoyStream.request("GET /")
          .mode(mode)
          .respond(200)
          .header("content-length", "5")
          .chunks(ByteString.copyFromUtf8(body));
      exchange
          .header("content-length", "5")
          .through(Transforming.by("limits: {responseBytes: 1000}\n" + MASK).open())
          .expectStatus(502);
    }
  }

  @Test
  void a_content_length_that_says_more_than_comes_is_no_reason_to_wait() {
    for (var mode : MODES) {
      EnvoyStream.request("GET /")
          .mode(mode)
          .respond(200)
          .chunks(ByteString.copyFromUtf8("{\"card\":\"1234\"}"))
          .header("content-length", "900")
          .through(Transforming.by(MASK).open())
          .expectBody("{\"card\":\"****\"}");
    }
  }

  @Test
  void a_regular_expression_that_would_backtrack_without_end_takes_no_longer_than_another() {
    var began = Instant.now();
    var transforming = Transforming.by("""
        request:
        - when: request.headers['x-a'].matches('^(a+)+$')
          headers: {set: {x-seen: "1"}}
        - path: {regex: '^/(a+)+$', replacement: /found}
        - body: {replace: [{regex: '(a|aa)+b', replacement: found}]}
        """);
    var text = "a".repeat(20_000) + "!";
    EnvoyStream.request("POST /" + text, text)
        .header("x-a", text)
        .mode(BodySendMode.BUFFERED)
        .through(transforming.open())
        .expectUpstreamHeader(":path", "/" + text)
        .expectUpstreamBody(text);
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void a_regular_expression_that_searches_to_the_end_for_each_find_is_given_up() {
    var transforming = Transforming.by("""
        response:
        - body: {replace: [{regex: '(?s)<card>.*?</card>|<card>', replacement: '<card>*</card>'}]}
        """);
    var began = Instant.now();
    var immediate = EnvoyStream.request("GET /", "")
        .respond(200, "<card>".repeat(10_000))
        .mode(BodySendMode.BUFFERED)
        .through(transforming.open())
        .immediate()
        .orElseThrow();
    assertThat(immediate.getStatus().getCodeValue()).isEqualTo(502);
    assertThat(transforming.decision().detail()).contains("takes too long");
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(10));

    EnvoyStream.request("GET /", "")
        .respond(200, "<card>4111</card> ".repeat(10_000))
        .mode(BodySendMode.BUFFERED)
        .through(transforming.open())
        .expectBody("<card>*</card> ".repeat(10_000));
  }

  @Test
  void a_path_that_is_searched_to_the_end_for_each_find_is_given_up() {
    var transforming = Transforming.by("request: [{path: {regex: '<.*?>|<', replacement: x}}]");
    var began = Instant.now();
    var immediate = EnvoyStream.request("GET /" + "<".repeat(50_000), "")
        .through(transforming.open())
        .immediate()
        .orElseThrow();
    assertThat(immediate.getStatus().getCodeValue()).isEqualTo(500);
    assertThat(transforming.decision().detail()).contains("takes too long");
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(10));

    EnvoyStream.request("GET /" + "<a>".repeat(15_000), "")
        .through(transforming.open())
        .expectUpstreamHeader(":path", "/" + "x".repeat(15_000));
  }

  @Test
  void a_search_ends_when_nobody_waits_for_it_any_more() {
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() ->
              new TextReplacement(Pattern.compile("b"), "").apply("a".repeat(100_000), 100_000))
          .isInstanceOf(UnprocessableBody.class)
          .hasMessageContaining("nobody waits");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  /** Of two lists that fill 64 KiB it takes ten seconds, of which the other streams of the loop must not know. */
  @Test
  void a_condition_that_takes_time_by_the_square_of_a_body_holds_no_event_loop() {
    var work = new ArrayList<Runnable>();
    var condition =
        Transforming.by("request: [{when: 'request.body.a.all(x, x in request.body.b)', "
            + "headers: {set: {x-a: a}}}]");
    for (var elements : List.of(2, 3_000)) {
      condition
          .envoy(task -> {
            work.add(task);
            task.run();
          })
          .requestHeaders(false, ":method", "POST", ":path", "/")
          .requestBody("{\"a\":[1],\"b\":[" + "1,".repeat(elements) + "1]}")
          .expectUpstreamHeader("x-a", "a");
      assertThat(work).as("%d elements", elements).hasSize(elements > 2 ? 1 : 0);
    }
  }

  @Test
  void a_condition_ends_when_nobody_waits_for_it_any_more() throws Exception {
    var facts = new StreamFacts(null, false);
    facts.read(
        Direction.REQUEST,
        BodyJson.parse(("[" + "1,".repeat(20_000) + "1]").getBytes(StandardCharsets.UTF_8)));
    var condition = Objects.requireNonNull(Expressions.condition(
        "request.body.exists(x, x == 2)",
        Place.TRANSFORM_REQUEST,
        Origin.NONE,
        "when",
        new Problems()));
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> condition.test(facts.onWorker()))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("nobody waits");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  /** They are looked at on the event loop, which it would hold for seconds. */
  @Test
  void a_condition_over_long_headers_fails_its_step_when_it_costs_too_much() {
    for (var condition : List.of(
        "request.headers.a.split(',').exists(a, a in request.headers.b.split(','))",
        "request.headers.a.split(',').map(a, a).size() == 1")) {
      var transforming =
          Transforming.by("request: [{when: \"" + condition + "\", headers: {set: {x-a: a}}}]");
      costsTooMuch(
          transforming,
          EnvoyStream.request("GET /", "")
              .header("a", "a,".repeat(9_000) + "a")
              .header("b", "b,".repeat(15_000) + "b"));
    }
  }

  /** CEL walks over all of {@code a} to find its {@code id}, for each element of {@code b}. */
  @Test
  void a_condition_that_walks_over_a_body_again_and_again_fails_its_step() {
    var transforming = Transforming.by(
        "request: [{when: 'request.body.a.exists(a, request.body.b.exists(b, b == a.id))', "
            + "headers: {set: {x-a: a}}}]");
    for (var more : List.of("[" + "1,".repeat(90_000) + "1]", members(45_000))) {
      costsTooMuch(
          transforming,
          EnvoyStream.request(
                  "POST /",
                  "{\"a\":[{\"id\":0,\"more\":" + more + "}],\"b\":[" + "1,".repeat(8_000) + "1]}")
              .mode(BodySendMode.BUFFERED));
    }
  }

  private static void costsTooMuch(Transforming transforming, EnvoyExchange request) {
    var immediate = request.through(transforming.open()).immediate().orElseThrow();
    assertThat(immediate.getStatus().getCodeValue()).isEqualTo(500);
    assertThat(transforming.decision().detail()).contains("costs too much");
  }

  @Test
  void a_text_of_a_body_is_looked_for_in_another_in_linear_time() {
    var transforming = Transforming.by(
        "request: [{when: '!request.body.a.contains(request.body.b)', headers: {set: {x-a: a}}}]");
    var began = Instant.now();
    EnvoyStream.request(
            "POST /",
            "{\"a\":\"" + "a".repeat(600_000) + "\",\"b\":\"" + "a".repeat(300_000) + "b\"}")
        .mode(BodySendMode.BUFFERED)
        .through(transforming.open())
        .expectUpstreamHeader("x-a", "a");
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(20));
  }

  private static String members(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"" + i + "\":1")
        .collect(Collectors.joining(",", "{", "}"));
  }

  @Test
  void texts_are_replaced_off_the_loop_however_few_they_are() {
    var work = new ArrayList<Runnable>();
    var transforming = Transforming.by("""
        response:
        - when: response.code == 200
          body: {replace: [{regex: a, replacement: b}]}
        """);
    var late = Transforming.by("""
        response:
        - when: response.body.a == 1
          body: {replace: [{regex: a, replacement: b}]}
        """);
    for (var some : List.of(transforming, late)) {
      work.clear();
      some.envoy(task -> {
            work.add(task);
            task.run();
          })
          .requestHeaders(true, ":method", "GET", ":path", "/")
          .responseHeaders(false, ":status", "200")
          .responseBody(ByteString.copyFromUtf8("{\"a\":1}"), true);
      assertThat(work).hasSize(1);
    }
  }

  @Test
  void a_form_of_more_fields_than_anybody_means_is_unprocessable() {
    var transforming = Transforming.by("request: [{form: {remove: [password]}}]");
    for (var fields : List.of(10_000, 10_001)) {
      var immediate = EnvoyStream.request("POST /", "&a".repeat(fields).substring(1))
          .header("content-type", "application/x-www-form-urlencoded")
          .mode(BodySendMode.BUFFERED)
          .through(transforming.open())
          .immediate();
      assertThat(immediate.map(answer -> answer.getStatus().getCodeValue()).orElse(0))
          .as("%d fields", fields)
          .isEqualTo(fields > 10_000 ? 400 : 0);
    }
    assertThat(transforming.decision().detail()).contains("more than 10000 fields");
  }

  /** Each edit makes less than four times as much of it; all together would make a hundred times as much. */
  @Test
  void edits_that_each_make_more_of_a_body_do_not_make_a_huge_one_together() {
    var value = "x".repeat(4_000);
    var policy = new StringBuilder("request:\n");
    for (var name : List.of("a", "b", "c")) {
      policy.append("- json: [{op: set, at: /**/%s, value: %s}]\n".formatted(name, value));
    }
    var body = "[" + "0,".repeat(500_000) + "{\"a\":1},".repeat(800) + "{\"b\":1},".repeat(3_200)
        + "{\"c\":1},".repeat(12_800) + "0]";
    for (var mode : MODES) {
      var transforming = Transforming.by(policy.toString());
      EnvoyStream.request("POST /", body)
          .mode(mode)
          .chunked(100_000)
          .through(transforming.open())
          .expectStatus(400);
      assertThat(transforming.decision().detail())
          .as(mode.toString())
          .contains("the changed body would be too large");
    }
  }

  @Test
  void a_body_of_more_values_than_anybody_means_is_not_read_for_conditions() {
    var transforming =
        Transforming.by("request: [{when: 'request.body.size() == 0', headers: {set: {x-a: a}}}]");
    for (var values : List.of(99_999, 100_000)) {
      var immediate = EnvoyStream.request("POST /", "[" + ",1".repeat(values).substring(1) + "]")
          .mode(BodySendMode.BUFFERED)
          .through(transforming.open())
          .immediate();
      assertThat(immediate.map(answer -> answer.getStatus().getCodeValue()).orElse(0))
          .as("%d values", values)
          .isEqualTo(values > 99_999 ? 400 : 0);
    }
  }

  @Test
  void what_needs_backtracking_is_no_pattern_of_a_policy() {
    for (var pattern : List.of("(a)\\1", "(?=a)b", "(?<!a)b")) {
      assertThatThrownBy(() ->
              Transforming.by("request: [{path: {regex: '" + pattern + "', replacement: /}}]"))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("is not an RE2 regular expression");
    }
  }

  @Test
  void an_empty_message_and_one_out_of_order_fail_the_stream_and_are_decided() {
    for (var message : List.of(
        ProcessingRequest.getDefaultInstance(),
        ProcessingRequest.newBuilder()
            .setRequestHeaders(HttpHeaders.getDefaultInstance())
            .build())) {
      var transforming = Transforming.by(MASK);
      var peer = transforming.open();
      peer.exchange(ProcessingRequest.newBuilder()
          .setRequestHeaders(HttpHeaders.newBuilder().setEndOfStream(true))
          .build());
      assertThatThrownBy(() -> peer.exchange(message))
          .isInstanceOf(StreamFailed.class)
          .hasMessageContaining("INVALID_ARGUMENT");
      assertThat(transforming.decision().outcome()).isEqualTo(Outcome.FAILED);
    }
  }

  @Test
  void a_client_that_goes_away_after_any_message_leaves_nothing_behind() {
    for (var policy : List.of(MASK, MOVE)) {
      for (var messages = 1; messages < 9; messages++) {
        var transforming = Transforming.by(policy);
        var peer = transforming.open();
        EnvoyStream.request("POST /", "{\"card\":\"1234\"}")
            .chunked(5)
            .mode(BodySendMode.FULL_DUPLEX_STREAMED)
            .respond(200, "{\"card\":\"1234\"}")
            .chunked(5)
            .cancelledAfter(messages)
            .through(peer);
        assertThat(transforming.decisions()).as("after %s messages", messages).isEqualTo(1);
        assertThat(peer.timers()).as("timers after %s messages", messages).isZero();
        assertThat(peer.gathered()).as("gathered after %s messages", messages).isZero();
      }
    }
  }
}
