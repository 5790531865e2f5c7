package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operations of a step that {@link HeaderStepsTest} and {@link BodyStepsTest} leave out. */
class LanguageTest {
  private static final String[] GET = {
    ":method",
    "GET",
    ":path",
    "/v1/orders?q=a%2Fb&page=1&q=%20c&x",
    "x-old",
    "one",
    "x-old",
    "two",
    "x-request-id",
    "r-1"
  };

  @Test
  void the_six_operations_on_headers_happen_in_their_order_and_values_stay_apart() {
    var envoy = Transforming.by("""
        request:
        - headers:
            add: {x-new: last, x-added: [a, b]}
            addIfAbsent: {x-new: never, x-absent: [c, d], x-removed: e}
            set: {x-set: [f, g], x-old: h}
            replace: {x-new: [i, j], x-none: never}
            rename: {x-old: x-new}
            remove: [x-removed]
        """)
        .envoy()
        .requestHeaders(true, with(GET, "x-removed", "r", "x-added", "0"));
    assertThat(envoy.upstream().values("x-new")).containsExactly("i", "j", "last");
    assertThat(envoy.upstream().values("x-added")).containsExactly("0", "a", "b");
    assertThat(envoy.upstream().values("x-absent")).containsExactly("c", "d");
    assertThat(envoy.upstream().values("x-removed")).containsExactly("e");
    assertThat(envoy.upstream().values("x-set")).containsExactly("f", "g");
    assertThat(envoy.upstream().values("x-old")).containsExactly("h");
    assertThat(envoy.upstream().values("x-none")).isEmpty();
  }

  @Test
  void templates_of_a_step_see_the_message_as_it_was_before_the_step() {
    var envoy = Transforming.by("""
        request:
        - headers: {remove: [x-old], set: {x-copy: "${request.headers['x-old']}"}}
        """).envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).isEmpty();
    assertThat(envoy.upstream().values("x-copy")).containsExactly("one,two");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "remove: [q]                        | /v1/orders?page=1&x",
        "remove: [none]                     | /v1/orders?q=a%2Fb&page=1&q=%20c&x",
        "rename: {q: query}                 | /v1/orders?query=a%2Fb&page=1&query=%20c&x",
        "rename: {x: 'y z', q: page}        | /v1/orders?page=a%2Fb&page=%20c&y%20z",
        "replace: {q: [1&2, '3'], no: '4'}  | /v1/orders?q=1%262&q=3&page=1&x",
        "set: {page: '2', new: ä}           | /v1/orders?q=a%2Fb&page=2&q=%20c&x&new=%C3%A4",
        "addIfAbsent: {q: a, y: [b, c]}     | /v1/orders?q=a%2Fb&page=1&q=%20c&x&y=b&y=c",
        "add: {q: d}                        | /v1/orders?q=a%2Fb&page=1&q=%20c&x&q=d",
        "remove: [q, page, x]               | /v1/orders",
        "set: {m: '${request.method}'}      | /v1/orders?q=a%2Fb&page=1&q=%20c&x&m=GET",
      })
  void query_parameters_are_edited_and_the_others_keep_their_bytes(String edits, String path) {
    var envoy =
        Transforming.by("request: [{query: {" + edits + "}}]").envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values(":path")).containsExactly(path);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prefix: /v1, replacement: /api/v2        | /v1/orders | /api/v2/orders",
        "prefix: /v1/, replacement: /             | /v1/orders | /orders",
        "prefix: /v1, replacement: /              | /v1        | /",
        "prefix: /v1, replacement: /x             | /v10/a     | /v10/a",
        "prefix: /v1, replacement: '/t/${request.headers.t}' | /v1/a | /t/a%2F..%2Fb%3Fc%23%25d%20e/a",
        "set: '/u/${request.headers.t}/x'         | /v1?a=b    | /u/a%2F..%2Fb%3Fc%23%25d%20e/x?a=b",
        "set: /fixed                              | /v1/a?b    | /fixed?b",
        "regex: '^/v1/(.*)', replacement: '/$1'   | /v1/a%20b? | /a%20b?"
      })
  void a_path_is_changed_and_what_a_template_yields_stays_inside_its_segment(
      String path, String before, String after) {
    var envoy = Transforming.by("request: [{path: {" + path + "}}]")
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", before, "t", "a/../b?c#%d e");
    assertThat(envoy.upstream().values(":path")).containsExactly(after);
  }

  @ParameterizedTest
  @ValueSource(strings = {".", "..", "..;x"})
  void nobody_climbs_out_of_a_path_by_a_segment_of_dots(String value) {
    assertThat(rewritten("set: '/users/${request.headers.t}/x'", "/", value)).isEqualTo("500");
  }

  @Test
  void nobody_takes_anothers_segment_by_a_value_that_is_empty() {
    var prefix = "prefix: /v1, replacement: '/t/${request.headers.t}'";
    assertThat(rewritten(prefix, "/v1/acme/orders", "")).isEqualTo("500");
    assertThat(rewritten(prefix, "/v1/acme/orders", "shop")).isEqualTo("/t/shop/acme/orders");
    assertThat(rewritten("set: '/t/${request.headers.t}/x'", "/", "")).isEqualTo("500");
    assertThat(rewritten("set: '/t-${request.headers.t}/x/'", "/", "")).isEqualTo("/t-/x/");
  }

  /** The path that the upstream gets, or the status instead. */
  private static String rewritten(String path, String before, String value) {
    var envoy = Transforming.by("request: [{path: {" + path + "}}]")
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", before, "t", value);
    return envoy
        .immediate()
        .map(answer -> Integer.toString(answer.getStatus().getCodeValue()))
        .orElseGet(() -> envoy.upstream().values(":path").getFirst());
  }

  @Test
  void a_form_is_edited_and_the_fields_that_nobody_names_keep_their_bytes() {
    var envoy = form(
        "form: {remove: [password], rename: {usr: user}, set: {source: 'gate way'}, add: {tag: [a, b]}}",
        "application/x-www-form-urlencoded; charset=utf-8",
        "usr=b%6Fb&pass%77ord=x&a=+1%2B&source=old&b&pa%73sword=");
    assertThat(envoy.upstream().body())
        .isEqualTo("user=b%6Fb&a=+1%2B&source=gate%20way&b&tag=a&tag=b");
  }

  @Test
  void what_is_no_form_is_unprocessable_for_a_step_on_its_fields() {
    for (var type : List.of("application/json", "multipart/form-data; boundary=x", "text/plain")) {
      var answer = form("form: {remove: [password]}", type, "{\"password\":1}")
          .immediate()
          .orElseThrow();
      assertThat(answer.getStatus().getCodeValue()).as(type).isEqualTo(400);
    }
  }

  @Test
  void a_merge_patch_is_merged_and_the_rest_keeps_its_bytes() {
    var envoy = post(
        "body: {merge: {a: null, b: {c: '${request.method}', d: null}, list: ['${request.id}', {e: null}]}}",
        "{ \"n\": 1.50, \"a\": 1, \"b\": [\"was no object\"] }");
    assertThat(envoy.upstream().body())
        .isEqualTo("{ \"n\": 1.50, \"b\": {\"c\":\"POST\"},\"list\":[\"r-1\",{\"e\":null}] }");
  }

  @Test
  void what_regular_expressions_find_in_a_body_is_replaced_in_order() {
    var envoy = post(
        "body: {replace: [{regex: 'http://(\\w+)', replacement: 'https://$1'}, {regex: https, replacement: '\\s'}]}",
        "see http://ä and http://b");
    assertThat(envoy.upstream().body()).isEqualTo("see http://ä and \\s://b");
  }

  @Test
  void a_body_that_would_grow_without_end_is_unprocessable() {
    var answer = post(
            "body: {replace: [{regex: 'z*', replacement: '" + "x".repeat(1000) + "'}]}",
            "y".repeat(10_000))
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(400);
  }

  @Test
  void a_body_that_is_not_utf_8_is_unprocessable_for_a_regular_expression() {
    var envoy = Transforming.by("request: [{body: {replace: [{regex: a, replacement: b}]}}]")
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/")
        .requestBody(ByteString.copyFrom(new byte[] {'a', (byte) 0xc3}), true);
    assertThat(envoy.immediate().orElseThrow().getStatus().getCodeValue()).isEqualTo(400);
  }

  @Test
  void json_is_moved_and_completed() {
    var envoy = post(
        "json: [{op: move, at: /usr/mail, to: /contact/mail}, {op: default, at: /currency, value: EUR}, {op: default, at: /n, value: 2}]",
        "{\"contact\":{},\"usr\":{\"mail\":\"b@x\",\"id\":1e2},\"n\":1}");
    assertThat(envoy.upstream().body())
        .isEqualTo(
            "{\"contact\":{\"mail\":\"b@x\"},\"usr\":{\"id\":1e2},\"n\":1,\"currency\":\"EUR\"}");
  }

  @Test
  void a_step_that_cannot_be_evaluated_is_left_out_as_a_whole_where_the_policy_says_so() {
    var transforming = Transforming.by("""
        request:
        - name: identity
          onError: Skip
          headers: {remove: [x-old], set: {x-a: a, x-b: "${request.headers['x-none']}"}}
          query: {set: {a: b}}
          metadata: {c: d}
        - onError: Skip
          when: request.headers['x-none'] == 'a'
          respond: {status: 403}
        - headers: {set: {x-last: z}}
        """);
    var envoy = transforming.envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).containsExactly("one", "two");
    assertThat(envoy.upstream().values("x-a")).isEmpty();
    assertThat(envoy.upstream().values(":path")).containsExactly(GET[3]);
    assertThat(envoy.upstream().values("x-last")).containsExactly("z");
    assertThat(envoy.told().getFieldsMap()).isEmpty();
    assertThat(transforming.decision().detail())
        .isEqualTo("x-last=, left out identity, left out request[1]");
  }

  @Test
  void a_step_that_is_left_out_is_told_of_and_changes_nothing() {
    for (var value : List.of("request.headers['x-none']", "request.body.none")) {
      var transforming = Transforming.by("""
          request:
          - name: identity
            onError: Skip
            headers: {set: {x-a: "${%s}"}}
          """.formatted(value));
      transforming
          .envoy()
          .requestHeaders(false, ":method", "POST", ":path", "/")
          .requestBody("{}");
      var decision = transforming.decision();
      assertThat(decision.outcome()).isEqualTo(Outcome.UNCHANGED);
      assertThat(decision.reason()).isEqualTo("unchanged");
      assertThat(decision.detail()).isEqualTo("left out identity");
    }
  }

  @Test
  void a_template_that_would_smuggle_a_header_in_is_left_out_with_its_step() {
    var envoy = Transforming.by("""
        request:
        - {onError: Skip, headers: {set: {x-q: "${request.query['q']}", x-r: r}}}
        """)
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", "/?q=a%0d%0ax-admin:%20yes");
    assertThat(envoy.upstream().values("x-q")).isEmpty();
    assertThat(envoy.upstream().values("x-r")).isEmpty();
    assertThat(envoy.upstream().values("x-admin")).isEmpty();
  }

  @Test
  void a_response_can_be_answered_instead() {
    var transforming = Transforming.by("""
        response:
        - when: response.code == 503
          respond: {status: 502, headers: {retry-after: "5", vary: [a, b]}, body: "try ${request.id} later"}
        """);
    var answer = transforming
        .envoy()
        .requestHeaders(true, GET)
        .responseHeaders(false, ":status", "503")
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(502);
    assertThat(answer.getBody().toStringUtf8()).isEqualTo("try r-1 later");
    assertThat(answer.getHeaders().getSetHeadersList())
        .extracting(header ->
            header.getHeader().getKey() + "=" + header.getHeader().getRawValue().toStringUtf8())
        .containsExactly("retry-after=5", "vary=a", "vary=b");
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.RESPONDED);
  }

  @Test
  void a_request_gets_a_body_from_a_template() {
    var envoy = Transforming.by("request: [{body: {template: 'from ${request.method}'}}]")
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/", "content-length", "3");
    assertThat(envoy.upstream().replaced()).isTrue();
    assertThat(envoy.upstream().body()).isEqualTo("from POST");
  }

  @Test
  void metadata_is_told_and_other_filters_is_read() {
    var fields = Struct.newBuilder()
        .putFields("tier", Value.newBuilder().setStringValue("gold").build())
        .build();
    var envoy =
        Transforming.by("""
        request:
        - when: metadata['my.filter'].tier == 'gold'
          metadata: {tier: "${metadata['my.filter'].tier}", method: "${request.method}"}
        """).envoy().metadata("my.filter", fields).requestHeaders(true, GET);
    envoy.expectMetadata("gatehouse.ext_proc", "tier", "gold");
    envoy.expectMetadata("gatehouse.ext_proc", "method", "GET");
  }

  @Test
  void metadata_is_bounded() {
    var spec = "{metadata: {path: \"${request.path}\"}}";
    var long_ = "/" + "x".repeat(5000);
    assertThat(Transforming.by("request: [" + spec + "]")
            .envoy()
            .requestHeaders(true, ":method", "GET", ":path", long_)
            .immediate()
            .orElseThrow()
            .getStatus()
            .getCodeValue())
        .isEqualTo(500);
    assertThat(Transforming.by("request: [" + spec.replace("{m", "{onError: Skip, m") + "]")
            .envoy()
            .requestHeaders(true, ":method", "GET", ":path", long_)
            .told()
            .getFieldsMap())
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "json: [{op: set, at: /a, value: 1}]                |",
        "body: {merge: {a: 1}}                              |",
        "json: [{op: move, at: /a, to: /b}]                 | it moves /a to /b, which may come before it",
        "body: {replace: [{regex: a, replacement: b}]}      | what its regular expressions find",
        "form: {remove: [a]}                                | it changes a form",
        "{name: id, headers: {set: {a: '${request.body.a}'}}} | its headers reads request.body",
        "{when: request.body.a == 1, headers: {remove: [a]}}  | its when reads request.body"
      })
  void more_than_256Mi_of_a_body_only_streams(String step, String why) {
    var problems = new Problems();
    var policy = Transforming.policy("limits: {requestBytes: 1Ti}\nrequest: ["
        + (step.startsWith("{") ? step : "{" + step + "}") + "]");
    var plan = new TransformCompiler(problems).compile(policy);
    if (why == null) {
      assertThat(plan).isNotNull();
    } else {
      assertThat(problems.all())
          .extracting(Problem::toString)
          .singleElement()
          .asString()
          .contains("spec.request[0]: " + why)
          .contains("at most 256Mi; spec.limits.requestBytes is more");
    }
  }

  @Test
  void the_example_of_the_reference_compiles() throws Exception {
    var reference = Files.readString(Path.of("../docs/policies.md"));
    var section = reference.substring(reference.indexOf("## TransformPolicy\n"));
    var yaml = section.substring(section.indexOf("```yaml") + 7, section.indexOf("\n```\n"));
    var spec = yaml.substring(yaml.indexOf("  limits:"));

    var problems = new Problems();
    new TransformCompiler(problems).compile(Transforming.policy(spec.stripIndent()));
    assertThat(problems.all()).isEmpty();
  }

  private static EnvoyStream form(String step, String type, String body) {
    return Transforming.by("request: [{" + step + "}]")
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/", "content-type", type)
        .requestBody(body);
  }

  private static EnvoyStream post(String step, String body) {
    return Transforming.by("request: [{" + step + "}]")
        .envoy()
        .requestHeaders(false, ":method", "POST", ":path", "/", "x-request-id", "r-1")
        .requestBody(body);
  }

  private static String[] with(String[] headers, String... more) {
    var all = new ArrayList<>(List.of(headers));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
