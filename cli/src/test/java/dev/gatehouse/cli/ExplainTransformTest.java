package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code gatehouse explain} says of a TransformPolicy's steps. */
final class ExplainTransformTest {
  private static final String FRAME = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec: {gatewayClassName: envoy, listeners: [{name: http, port: 80, protocol: HTTP}]}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules: [{name: list, backendRefs: [{name: shop, port: 80}]}]
      ---
      """;

  private static final String JSON = "content-type: application/json";

  @TempDir
  Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void each_step_is_shown_with_its_place_its_condition_and_its_effect() throws IOException {
    policy("""
        request:
        - headers: {remove: [x-internal], set: {x-tenant: acme}}
        - when: request.method == 'POST'
          query: {set: {tenant: "${request.headers['x-tenant']}"}, remove: [debug]}
          json: [{op: set, at: /meta/source, value: gateway}]
        - when: "'x-nope' in request.headers"
          headers: {set: {x-b: b}}
        - when: request.path == '/nowhere'
          respond: {status: 418, body: tea}
        response:
        - when: response.code == 200
          status: 203
        - json: [{op: mask, at: /card, keepLast: 4}]
        """);

    assertThat(explain(
            "--path",
            "/orders?debug=1&a=b",
            "--method",
            "POST",
            "--header",
            "x-internal: 1",
            "--header",
            JSON,
            "--body",
            "{\"meta\":{},\"a\":1}",
            "--response-header",
            JSON,
            "--response-body",
            "{\"card\":\"4111111111111111\"}"))
        .as(out + "\n" + err)
        .isZero();

    assertThat(out.toString())
        .containsPattern("""
              request\\[0\\] \\(.*policy.yaml:\\d+:\\d+\\)
                - x-internal: 1
                \\+ x-tenant: acme
              request\\[1\\] \\(.*policy.yaml:\\d+:\\d+\\): request.method == 'POST' → holds
                - :path: /orders\\?debug=1&a=b
                \\+ :path: /orders\\?a=b&tenant=acme
                  \\{
                -   "meta" : \\{ },
                \\+   "meta" : \\{
                \\+     "source" : "gateway"
                \\+   },
                    "a" : 1
            """.indent(0).stripTrailing())
        .contains("'x-nope' in request.headers → does not hold: left out")
        .contains("request.path == '/nowhere' → does not hold: left out")
        .containsPattern(
            "response\\[0\\] .*response.code == 200 → holds\n    - :status: 200\n    \\+ :status: 203")
        .containsPattern("response\\[1\\] [^\n]*\n[^+]*\\+ +\"card\" : \"\\*{12}1111\"")
        .contains("it passes to the upstream: the client gets 203");
  }

  @Test
  void a_step_that_answers_ends_the_run_and_those_behind_it_are_said_not_to_be_run()
      throws IOException {
    policy("""
        request:
        - when: request.headers['content-type'] == 'text/xml'
          respond: {status: 415, body: send JSON}
        - headers: {set: {x-a: a}}
        """);

    assertThat(explain("--path", "/orders", "--header", "content-type: text/xml"))
        .isEqualTo(7);
    assertThat(out.toString())
        .contains("request.headers['content-type'] == 'text/xml' → holds, answers 415")
        .containsPattern("request\\[1\\] \\(.*\\): not run: request\\[0\\] answers")
        .contains("the client gets 415 from here")
        .doesNotContain("the request stays as it is");
  }

  @Test
  void a_condition_that_cannot_be_evaluated_fails_the_request_and_says_why() throws IOException {
    policy("""
        request:
        - when: request.headers['x-kind'] == 'a'
          headers: {set: {x-a: a}}
        - headers: {set: {x-b: b}}
        """);

    assertThat(explain("--path", "/orders")).isEqualTo(5);
    assertThat(out.toString())
        .containsPattern("request\\[0\\] .* → fails: .*x-kind.* cannot be evaluated")
        .containsPattern("request\\[1\\] \\(.*\\): not run: request\\[0\\] fails")
        .contains("the client gets 500");
  }

  @Test
  void a_part_of_a_step_that_fails_is_named_and_its_condition_is_said_to_hold() throws IOException {
    var missing = "\"${request.headers['x-none']}\"";
    var parts = Map.of(
        "headers", "headers: {set: {x-a: %s}}",
        "path", "path: {set: \"/${request.headers['x-none']}\"}",
        "query", "query: {set: {a: %s}}",
        "json", "json: [{op: set, at: /a, value: %s}]",
        "form", "form: {set: {a: %s}}",
        "body", "body: {template: %s}",
        "metadata", "metadata: {a: %s}",
        "respond", "respond: {status: 418, body: %s}");
    for (var part : parts.entrySet()) {
      policy("""
          request:
          - metadata: {seen: "${request.method}"}
          - when: request.method == 'POST'
            %s
          """.formatted(part.getValue().formatted(missing)));

      assertThat(explain("--path", "/orders", "--method", "POST", "--body", "{}"))
          .as(part.getKey())
          .isEqualTo(5);
      assertThat(out.toString())
          .contains("request.method == 'POST' → holds, fails: " + part.getKey() + ": `request.")
          .contains("+ metadata seen: POST")
          .containsPattern(
              "\"dynamic_metadata\" : \\{\\s*\"gatehouse.ext_proc\"[^}]*\"seen\" : \"POST\"");
    }

    policy("""
        request:
        - {onError: Skip, headers: {set: {x-a: %s}}}
        """.formatted(missing));
    assertThat(explain("--path", "/orders")).isZero();
    assertThat(out.toString())
        .containsPattern("request\\[0\\] \\([^)]*\\): fails: headers: .*; left out as a whole");
  }

  @Test
  void a_step_that_may_be_skipped_is_left_out_as_a_whole_and_the_next_is_run() throws IOException {
    policy("""
        request:
        - name: kind
          onError: Skip
          when: request.headers['x-kind'] == 'a'
          headers: {set: {x-a: a}}
        - headers: {set: {x-b: b}}
        """);

    assertThat(explain("--path", "/orders")).as(out + "\n" + err).isZero();
    assertThat(out.toString())
        .containsPattern(
            "request\\[0\\] \"kind\" .* → fails: .*; left out as a whole \\(onError: Skip")
        .containsPattern("request\\[1\\] \\(.*\\)\n    \\+ x-b: b");
  }

  @Test
  void steps_that_wait_for_the_body_stand_in_order_and_see_it() throws IOException {
    policy("""
        request:
        - headers: {set: {x-first: a}}
        - when: request.body.total > 100
          headers: {set: {x-big: "${string(request.body.total)}"}}
          json: [{op: set, at: /approved, value: false}]
        - when: request.body.total == 0
          respond: {status: 422, body: nothing to pay}
        - headers: {set: {x-last: z}}
        """);

    assertThat(explain("--path", "/", "--method", "POST", "--body", "{\"total\":150}"))
        .as(out + "\n" + err)
        .isZero();
    assertThat(out.toString())
        .containsPattern("request\\[0\\] [^\n]*\n +\\+ x-first: a\n  request\\[1\\] .* → holds\n")
        .containsPattern("x-big: 150\n[^z]*\\+ +\"approved\" : false")
        .containsPattern("request\\[2\\] .* → does not hold: left out\n")
        .containsPattern("request\\[3\\] [^\n]*\n +\\+ x-last: z");

    assertThat(explain("--path", "/", "--method", "POST", "--body", "{\"total\":0}"))
        .isEqualTo(7);
    assertThat(out.toString())
        .containsPattern("request\\[2\\] .* → holds, answers 422")
        .containsPattern("request\\[3\\] .*: not run: request\\[2\\] answers");

    assertThat(explain("--path", "/", "--method", "POST", "--body", "{\"total\":"))
        .isEqualTo(7);
    assertThat(out.toString())
        .containsPattern("request\\[1\\] .* → cannot read the body")
        .contains("the client gets 400 from here");
  }

  @Test
  void a_body_out_of_nothing_is_all_new_and_a_letter_is_no_secret() throws IOException {
    policy("""
        response:
        - status: 502
          body: {template: '{"error":"x"}'}
        """);

    assertThat(explain("--path", "/?key=1", "--response-status", "503")).isZero();
    assertThat(out.toString())
        .contains("response[0] (")
        .containsPattern("\\+ +\"error\" : \"x\"")
        .doesNotContain("- null", "****");
  }

  @Test
  void metadata_that_a_step_writes_is_what_a_limit_behind_it_counts_by() throws IOException {
    policy("""
        request:
        - metadata: {weight: "${request.headers['x-weight']}"}
        """);
    Files.writeString(folder.resolve("limit.yaml"), """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
          rateLimit:
            type: Global
            global:
              rules:
              - limit: {requests: 10, unit: Minute}
                cost: {request: {from: Metadata, metadata: {namespace: gatehouse.ext_proc, key: weight}}}
        """);

    assertThat(explain("--path", "/orders", "--header", "x-weight: 4"))
        .as(out + "\n" + err)
        .isZero();
    assertThat(out.toString())
        .contains("+ metadata weight: 4")
        .contains("0 counted, 6 left behind this one");
  }

  @Test
  void a_body_that_is_no_json_is_not_shown_as_changed() throws IOException {
    policy("""
        onUnprocessable: Pass
        response:
        - json: [{op: remove, at: /secret}]
        """);

    assertThat(explain("--path", "/", "--response-header", JSON, "--response-body", "{\"secret\":"))
        .isZero();
    assertThat(out.toString())
        .containsPattern("response\\[0\\] \\(.*\\): changes nothing")
        .doesNotContain("+ {");

    policy("response: [{json: [{op: remove, at: /secret}]}]");
    assertThat(explain("--path", "/", "--response-header", JSON, "--response-body", "{\"secret\":"))
        .isZero();
    assertThat(out.toString()).contains("the client gets 502 from here");
  }

  @Test
  void a_body_of_many_pieces_is_played_as_envoy_streams_it() throws IOException {
    policy("response: [{json: [{op: mask, at: /rows/*/iban, keepLast: 4}]}]");
    var rows = new StringBuilder("{\"rows\":[");
    for (int i = 0; i < 3_000; i++) {
      rows.append(i == 0 ? "" : ",").append("{\"n\":").append(i);
      rows.append(",\"iban\":\"DE02120300000000202051\"}");
    }
    var body = Files.writeString(folder.resolve("body.json"), rows + "]}");

    assertThat(explain(
            "--path",
            "/",
            "--response-header",
            JSON,
            "--response-header",
            "transfer-encoding: chunked",
            "--response-body-file",
            body.toString(),
            "--output",
            "json"))
        .as(err.toString())
        .isZero();

    var answers = json().at("/extProc/answers");
    var sent = new StringBuilder();
    answers.forEach(answer -> sent.append(answer
        .at("/response_body/response/body_mutation/streamed_response/body")
        .asString("")));
    assertThat(sent)
        .hasToString((rows + "]}").replace("DE02120300000000202051", "******************2051"));
    assertThat(answers.size()).as("pieces").isGreaterThan(2);
    assertThat(json().at("/extProc/steps/0/outcome").asString()).isEqualTo("done");
  }

  @Test
  void json_has_the_steps_of_both_directions() throws IOException {
    policy("""
        request:
        - headers: {add: {via: gatehouse}}
        response:
        - when: response.code == 404
          headers: {set: {x-a: a}}
        """);

    assertThat(explain("--path", "/", "--response-status", "200", "--output", "json"))
        .isZero();

    var steps = json().at("/extProc/steps");
    assertThat(steps.size()).isEqualTo(2);
    assertThat(steps.at("/0/direction").asString()).isEqualTo("request");
    assertThat(steps.at("/0/step").asString()).isEqualTo("request[0]");
    assertThat(steps.at("/0/outcome").asString()).isEqualTo("done");
    assertThat(steps.at("/0/changes/0").asString()).isEqualTo("+ via: gatehouse");
    assertThat(steps.at("/0/at").asString()).contains("policy.yaml:");
    assertThat(steps.at("/1/when").asString()).isEqualTo("response.code == 404");
    assertThat(steps.at("/1/outcome").asString()).isEqualTo("left out");
  }

  private void policy(String spec) throws IOException {
    Files.writeString(folder.resolve("policy.yaml"), FRAME + """
        apiVersion: gatehouse.dev/v1alpha1
        kind: TransformPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        """ + spec.indent(2));
  }

  private int explain(String... options) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var args = new ArrayList<>(List.of("explain", "--policies", folder.toString()));
    args.addAll(List.of(options));
    return Gatehouse.run(
        new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), Map.of(), false),
        args.toArray(String[]::new));
  }

  private JsonNode json() {
    return JsonMapper.shared().readTree(out.toString());
  }
}
