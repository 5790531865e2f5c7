package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps that read the body, and wait for it. */
class LateStepsTest {
  private static final String[] POST = {
    ":method", "POST", ":path", "/orders?a=1", "x-old", "one", "x-request-id", "r-1"
  };

  @ParameterizedTest
  @EnumSource(
      value = BodySendMode.class,
      names = {"BUFFERED", "FULL_DUPLEX_STREAMED"})
  void a_value_of_the_body_goes_into_headers_and_what_early_steps_did_is_done_once(
      BodySendMode mode) {
    var envoy = Transforming.by("""
        request:
        - headers: {add: {x-step: early}, set: {x-order: unknown, x-gone: a}}
        - when: request.body.total > 100
          headers: {set: {x-order: "${request.body.id}"}, add: {x-step: late}, remove: [x-gone]}
          query: {set: {big: "yes"}}
        - when: request.headers['x-order'] == '7'
          headers: {add: {x-step: last}}
        """)
        .envoyWithoutConfig()
        .bodies(mode, BodySendMode.NONE)
        .requestHeaders(false, POST)
        .requestBody("{\"id\":7,\"total\":100.5}");
    assertThat(envoy.upstream().values("x-step")).containsExactly("early", "late", "last");
    assertThat(envoy.upstream().values("x-order")).containsExactly("7");
    assertThat(envoy.upstream().values("x-gone")).isEmpty();
    assertThat(envoy.upstream().values(":path")).containsExactly("/orders?a=1&big=yes");
    assertThat(envoy.upstream().body()).isEqualTo("{\"id\":7,\"total\":100.5}");
  }

  @ParameterizedTest
  @EnumSource(
      value = BodySendMode.class,
      names = {"BUFFERED", "FULL_DUPLEX_STREAMED"})
  void a_status_without_a_body_takes_the_one_away_that_has_come(BodySendMode mode) {
    for (var steps : List.of(
        "[{when: response.body.deleted, status: 204}, {json: [{op: mask, at: /iban}]}]",
        "[{when: response.body.deleted, status: 204}]",
        "[{status: 204}, {json: [{op: mask, at: /iban}]}]",
        "[{status: 204}, {headers: {set: {x-was: '${response.body.iban}'}}}]",
        "[{status: 204}]")) {
      var envoy = Transforming.by("response: " + steps)
          .envoyWithoutConfig()
          .bodies(BodySendMode.NONE, mode)
          .requestHeaders(true, ":method", "GET", ":path", "/")
          .responseHeaders(false, ":status", "200")
          .responseBody("{\"deleted\":true,\"iban\":\"DE12345\"}");
      assertThat(envoy.client().values(":status")).as(steps).containsExactly("204");
      assertThat(envoy.client().values("content-length")).as(steps).isEmpty();
      assertThat(envoy.client().body()).as(steps).isEmpty();
    }
  }

  @Test
  void a_late_step_sees_the_body_as_the_steps_before_have_made_it() {
    var envoy =
        Transforming.by("""
        request:
        - json: [{op: rename, at: /usr, to: user}]
        - when: has(request.body.user)
          json: [{op: set, at: /greeting, value: "hello ${request.body.user}"}]
        - json: [{op: set, at: /loud, value: "${request.body.greeting}!"}]
        """).envoy().requestHeaders(false, POST).requestBody("{\"usr\":\"bob\"}");
    assertThat(envoy.upstream().body())
        .isEqualTo("{\"user\":\"bob\",\"greeting\":\"hello bob\",\"loud\":\"hello bob!\"}");
  }

  @Test
  void a_request_can_be_answered_for_what_is_in_its_body() {
    var transforming = Transforming.by("""
        request:
        - when: "!has(request.body.card)"
          respond: {status: 422, body: "no card for ${request.body.user}"}
        """);
    var answer = transforming
        .envoy()
        .requestHeaders(false, POST)
        .requestBody("{\"user\":\"bob\"}")
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(422);
    assertThat(answer.getBody().toStringUtf8()).isEqualTo("no card for bob");
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.RESPONDED);
  }

  @Test
  void a_response_gets_an_envelope_around_what_it_says() {
    var envoy = Transforming.by("""
        response:
        - when: response.code >= 400 && has(response.body.message)
          status: 502
          headers: {set: {content-type: application/problem+json}}
          body: {template: '{"title":"${response.body.message}","id":"${request.id}"}'}
        """)
        .envoy()
        .requestHeaders(true, POST)
        .responseHeaders(false, ":status", "500", "content-length", "99")
        .responseBody("{\"message\":\"out of stock\",\"stack\":[]}");
    assertThat(envoy.client().values(":status")).containsExactly("502");
    assertThat(envoy.client().values("content-type")).containsExactly("application/problem+json");
    assertThat(envoy.client().body()).isEqualTo("{\"title\":\"out of stock\",\"id\":\"r-1\"}");
  }

  @Test
  void without_a_body_late_steps_run_at_the_headers_and_see_an_empty_object() {
    var envoy = Transforming.by("""
        request:
        - when: "!has(request.body.id)"
          headers: {set: {x-seen: nothing}}
        """).envoy().requestHeaders(true, POST);
    assertThat(envoy.upstream().values("x-seen")).containsExactly("nothing");
  }

  @Test
  void an_empty_body_is_none() {
    var envoy = Transforming.by("""
        request:
        - when: "!has(request.body.id)"
          headers: {set: {x-seen: nothing}}
        """)
        .envoy()
        .requestHeaders(false, POST)
        .requestBody(ByteString.EMPTY, true);
    assertThat(envoy.upstream().values("x-seen")).containsExactly("nothing");
  }

  @ParameterizedTest
  @EnumSource(
      value = BodySendMode.class,
      names = {"BUFFERED", "FULL_DUPLEX_STREAMED"})
  void trailers_without_a_body_are_no_way_round_a_late_step(BodySendMode mode) {
    var refuses =
        behindTrailers(mode, "request: [{when: '!has(request.body.id)', respond: {status: 422}}]");
    assertThat(refuses.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(422);

    var changes = behindTrailers(
        mode, "request: [{when: '!has(request.body.id)', headers: {set: {x-id: none}}}]");
    if (mode == BodySendMode.BUFFERED) {
      assertThat(changes.immediate().orElseThrow().getStatus().getCodeValue())
          .as("the headers have gone")
          .isEqualTo(500);
    } else {
      assertThat(changes.upstream().values("x-id")).as("they wait").containsExactly("none");
    }

    var leaves = behindTrailers(
        mode, "request: [{when: has(request.body.id), headers: {set: {x-id: some}}}]");
    assertThat(leaves.immediate()).isEmpty();
    assertThat(leaves.upstream().values("x-id")).isEmpty();
  }

  private static EnvoyStream behindTrailers(BodySendMode mode, String spec) {
    return Transforming.by(spec)
        .envoyWithoutConfig()
        .bodies(mode, BodySendMode.NONE)
        .allowReset()
        .requestHeaders(false, POST)
        .requestTrailers("x-sum", "1");
  }

  @Test
  void a_condition_on_the_headers_that_does_not_hold_waits_for_nothing() {
    var envoy =
        Transforming.by("""
        request:
        - when: request.method == 'PUT'
          headers: {set: {x-id: "${request.body.id}"}}
        - headers: {set: {x-by: gateway}}
        """).envoyWithoutConfig().bodies(BodySendMode.NONE, BodySendMode.NONE);
    assertThat(envoy.requestHeaders(false, POST).upstream().values("x-by"))
        .containsExactly("gateway");
  }

  @Test
  void a_body_that_a_late_step_cannot_read_is_refused_unless_the_policy_lets_it_pass() {
    var spec = "request: [{when: request.body.a == 1, headers: {set: {x-a: a}}}]";
    for (var unreadable : new String[] {"no json", "{\"a\":1,\"a\":2}", "{\"a\":1"}) {
      var answer = Transforming.by(spec)
          .envoy()
          .requestHeaders(false, POST)
          .requestBody(unreadable)
          .immediate()
          .orElseThrow();
      assertThat(answer.getStatus().getCodeValue()).as(unreadable).isEqualTo(400);

      var passed = Transforming.by("onUnprocessable: Pass\n" + spec)
          .envoy()
          .requestHeaders(false, POST)
          .requestBody(unreadable);
      assertThat(passed.upstream().body()).isEqualTo(unreadable);
      assertThat(passed.upstream().values("x-a")).isEmpty();
    }
  }

  @Test
  void a_late_step_that_cannot_be_evaluated_fails_the_request_closed_or_is_left_out() {
    var step = "when: request.body.absent == 1\n  headers: {set: {x-a: a}}\n";
    var answer = Transforming.by("request:\n- " + step)
        .envoy()
        .requestHeaders(false, POST)
        .requestBody("{}")
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(500);

    var envoy = Transforming.by("request:\n- onError: Skip\n  " + step
            + "- headers: {set: {x-b: \"${has(request.body.absent)}\"}}")
        .envoy()
        .requestHeaders(false, POST)
        .requestBody("{}");
    assertThat(envoy.upstream().values("x-a")).isEmpty();
    assertThat(envoy.upstream().values("x-b")).containsExactly("false");
  }

  @Test
  void a_response_step_sees_the_requests_body_as_it_went_on() {
    var envoy = Transforming.by("""
        request:
        - json: [{op: set, at: /by, value: gateway}]
        response:
        - headers: {set: {x-order: "${request.body.id} ${request.body.by}"}}
        """)
        .envoy()
        .requestHeaders(false, POST)
        .requestBody("{\"id\":7}")
        .responseHeaders(true, ":status", "200");
    assertThat(envoy.upstream().body()).isEqualTo("{\"id\":7,\"by\":\"gateway\"}");
    assertThat(envoy.client().values("x-order")).containsExactly("7 gateway");
  }

  @Test
  void a_requests_body_is_kept_only_for_steps_of_the_response_that_read_it() {
    for (var response : List.of(
        "[{headers: {set: {x-a: a}}}]", "[{headers: {set: {x-a: '${request.body.id}'}}}]")) {
      var facts = new StreamFacts(null, false);
      var envoy = Transforming.by(
              "request: [{when: request.body.id == 7, headers: {set: {x-b: b}}}]\n" + "response: "
                  + response)
          .envoy(facts)
          .requestHeaders(false, POST)
          .requestBody("{\"id\":7}");
      assertThat(facts.requestBody() != null).as(response).isEqualTo(response.contains("body"));
      envoy.responseHeaders(false, ":status", "200");
      assertThat(facts.requestBody()).isNull();
    }
  }

  @Test
  void the_headers_are_kept_from_a_response_that_is_encoded() throws Exception {
    var envoy = Transforming.by("""
        response:
        - headers: {set: {x-id: "${response.body.id}"}}
        - json: [{op: remove, at: /secret}]
        """)
        .envoy()
        .requestHeaders(true, POST)
        .responseHeaders(false, ":status", "200", "content-encoding", "gzip")
        .responseBody(gzip("{\"id\":7,\"secret\":1}"), true);
    assertThat(envoy.client().values("x-id")).containsExactly("7");
    assertThat(envoy.client().values("content-encoding")).isEmpty();
    assertThat(envoy.client().body()).isEqualTo("{\"id\":7}");
  }

  @Test
  void a_large_body_is_read_off_the_loop() {
    var large = "{\"id\":7,\"text\":\"" + "x".repeat(200_000) + "\"}";
    var envoy = Transforming.by("request: [{headers: {set: {x-id: \"${request.body.id}\"}}}]")
        .envoy()
        .requestHeaders(false, POST)
        .requestBody(large);
    assertThat(envoy.upstream().values("x-id")).containsExactly("7");
    assertThat(envoy.upstream().body()).isEqualTo(large);
  }

  @Test
  void metadata_of_early_and_late_steps_is_told_and_later_steps_see_it() {
    EnvoyStream envoy = Transforming.by("""
        request:
        - metadata: {tier: gold}
        - metadata: {order: "${request.body.id}"}
        response:
        - headers: {set: {x-told: "${metadata['gatehouse.ext_proc'].tier}/${metadata['gatehouse.ext_proc'].order}"}}
        """)
        .envoy()
        .requestHeaders(false, POST)
        .requestBody("{\"id\":7}")
        .responseHeaders(true, ":status", "200");
    envoy.expectMetadata("gatehouse.ext_proc", "tier", "gold");
    envoy.expectMetadata("gatehouse.ext_proc", "order", "7");
    assertThat(envoy.client().values("x-told")).containsExactly("gold/7");
  }

  @Test
  void what_steps_wrote_is_told_with_an_answer_to_the_client_too() {
    for (var policy : List.of(
        "request: [{metadata: {tier: gold}}, {respond: {status: 403}}]",
        "request: [{when: request.body.id == 7, metadata: {tier: gold}}, {respond: {status: 403}}]",
        "request: [{metadata: {tier: gold}}, {path: {set: \"/${request.headers['x-none']}\"}}]",
        "request: [{when: request.body.id == 7, metadata: {tier: gold}}, {query: {set: {a: \"${request.headers['x-none']}\"}}}]",
        "limits: {requestBytes: 1}\nrequest: [{metadata: {tier: gold}}, {json: [{op: remove, at: /a}]}]")) {
      var envoy = Transforming.by(policy)
          .envoy()
          .requestHeaders(
              false, ":method", "POST", ":path", "/", "content-length", "8", "x-tier", "gold");
      if (envoy.immediate().isEmpty()) {
        envoy.requestBody("{\"id\":7}");
      }
      assertThat(envoy.immediate()).as(policy).isPresent();
      envoy.expectMetadata("gatehouse.ext_proc", "tier", "gold");
    }
  }

  @Test
  void a_step_that_cannot_be_evaluated_is_told_alike_before_the_body_and_behind_it() {
    for (var when : List.of("request.method == 'POST'", "request.body.id == 7")) {
      var transforming = Transforming.by("""
          request:
          - {when: %s, headers: {set: {x-a: "${request.headers['x-none']}"}}}
          """.formatted(when));
      var envoy = transforming.envoy().requestHeaders(false, POST);
      if (envoy.immediate().isEmpty()) {
        envoy.requestBody("{\"id\":7}");
      }
      assertThat(envoy.immediate()).as(when).isPresent();
      var decision = transforming.decision();
      assertThat(decision.reason()).as(when).isEqualTo("step-failed");
      assertThat(decision.detail())
          .as(when)
          .contains("a step could not be evaluated: request[0]: headers: `request.headers");
    }
  }

  private static ByteString gzip(String text) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return ByteString.copyFrom(out.toByteArray());
  }
}
