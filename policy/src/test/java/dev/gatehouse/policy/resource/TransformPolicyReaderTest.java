package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRemove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRename;
import dev.gatehouse.policy.resource.TransformPolicy.JsonSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransformPolicyReaderTest {
  private static Read read(String spec) {
    return Read.spec("TransformPolicy", spec);
  }

  @Test
  void every_field_of_the_language_is_read() {
    var policy = read("""
        limits: {requestBytes: 1Mi, responseBytes: 64k}
        onUnprocessable: Pass
        localReplies: Transform
        request:
        - when: request.method == 'POST' && has(auth.sub)
          headers:
            remove: [X-Internal]
            rename: {X-Old: X-New}
            set: {x-user: "${auth.sub}"}
            add: {via: gatehouse}
          path: {regex: ^/v1/(.*), replacement: /$1}
          query: {set: {tenant: "${auth.tenant}"}, remove: [debug]}
          json:
          - {op: set, at: /meta/source, value: "gateway"}
          - {op: set, at: /meta, value: {n: 1.5, t: [true, null, "a\\"b"]}}
          - {op: remove, at: /items/*/secret}
          - {op: rename, at: /usr, to: user}
          - {op: mask, at: /card/number, keepLast: 4}
        - when: request.headers['content-type'] == 'text/xml'
          respond: {status: 415, headers: {Content-Type: application/problem+json}, body: '{"title":"send JSON"}'}
        response:
        - when: response.code >= 500
          status: 502
          body: {template: '{"id":"${request.id}"}'}
        """).only(TransformPolicy.class);

    assertThat(policy.requestBytes()).isEqualTo(1024 * 1024);
    assertThat(policy.responseBytes()).isEqualTo(64_000);
    assertThat(policy.passUnprocessable()).isTrue();
    assertThat(policy.transformLocalReplies()).isTrue();
    var step = policy.request().getFirst();
    assertThat(step.when()).isEqualTo("request.method == 'POST' && has(auth.sub)");
    assertThat(step.headers())
        .isEqualTo(new TransformPolicy.Headers(
            List.of("x-internal"),
            Map.of("x-old", "x-new"),
            Map.of("x-user", "${auth.sub}"),
            Map.of("via", "gatehouse")));
    assertThat(step.path()).isEqualTo(new TransformPolicy.Path("^/v1/(.*)", "/$1"));
    assertThat(step.query())
        .isEqualTo(new TransformPolicy.Query(Map.of("tenant", "${auth.tenant}"), List.of("debug")));
    assertThat(step.json())
        .satisfiesExactly(
            op -> assertThat(((JsonSet) op).value()).isEqualTo("\"gateway\""),
            op -> assertThat(((JsonSet) op).value())
                .isEqualTo("{\"n\":1.5,\"t\":[true,null,\"a\\\"b\"]}"),
            op -> assertThat(op).isInstanceOf(JsonRemove.class),
            op -> assertThat(((JsonRename) op).to()).isEqualTo("user"),
            op -> assertThat(((JsonMask) op).keepLast()).isEqualTo(4));
    assertThat(step.origin()).isEqualTo(new Origin("p.yaml", 10, 5));
    assertThat(policy.request().get(1).respond())
        .isEqualTo(new TransformPolicy.Respond(
            415, Map.of("content-type", "application/problem+json"), "{\"title\":\"send JSON\"}"));
    assertThat(policy.response().getFirst().status()).isEqualTo(502);
    assertThat(policy.response().getFirst().bodyTemplate()).isEqualTo("{\"id\":\"${request.id}\"}");
  }

  @Test
  void bodies_are_limited_to_ten_mebibytes_unless_the_policy_says_otherwise() {
    var policy = read("request: [{headers: {remove: [a]}}]\n").only(TransformPolicy.class);

    assertThat(policy.requestBytes()).isEqualTo(10 * 1024 * 1024);
    assertThat(policy.passUnprocessable()).isFalse();
    assertThat(policy.transformLocalReplies()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "limits: {requestBytes: 0} | \"0\" is out of range (expected: 1 to 268435456 bytes)",
        "limits: {requestBytes: 9999Ei} | is out of range",
        "limits: {requestBytes: ten} | \"ten\" is not a number of bytes such as 10Mi, 64Ki or 1024",
        "onUnprocessable: Ignore | \"Ignore\" is not one of Pass, Reject",
        "request: [{}] | changes nothing (expected: headers, path, query, json or respond)",
        "request: [{status: 200}] | status: belongs to a response step",
        "response: [{path: {regex: a, replacement: b}}] | path: belongs to a request step",
        "response: [{body: {template: a}, json: [{op: remove, at: /a}]}] | body replaces what json changes",
        "request: [{respond: {status: 415}, headers: {remove: [a]}}] | respond answers at once",
        "request: [{respond: {status: 99}}] | \"99\" is out of range (expected: 200 to 599)",
        "request: [{headers: {set: {':path': /}}}] | \":path\" is not a header name",
        "request: [{headers: {set: {Host: a}}}] | \"host\" is Envoy's own and cannot be changed",
        "request: [{headers: {remove: [x-envoy-attempt-count]}}] | \"x-envoy-attempt-count\" is Envoy's own",
        "request: [{headers: {set: {A: x, a: y}}}] | \"a\" stands twice",
        "request: [{headers: {set: {a: \"x\\ny\"}}}] | holds a control character",
        "request: [{path: {regex: '(a', replacement: b}}] | is not an RE2 regular expression",
        "request: [{path: {regex: '(a)', replacement: $2}}] | $2 is no group of regex (expected: $0 to $1)",
        "request: [{path: {regex: '(a)', replacement: a$}}] | names a group of regex (expected: $0 to $1)",
        "request: [{json: [{op: move, at: /a}]}] | \"move\" is not one of mask, remove, rename, set",
        "request: [{json: [{op: set, at: a, value: 1}]}] | \"a\" is not a JSON Pointer",
        "request: [{json: [{op: set, at: /a~2, value: 1}]}] | is not a JSON Pointer",
        "request: [{json: [{op: set, at: /a}]}] | \"value\" is missing",
        "request: [{json: [{op: set, at: /a, value: .inf}]}] | \".inf\" is no number that JSON has",
        "request: [{json: [{op: remove, at: ''}]}] | the whole document cannot be removed or renamed",
        "request: [{json: [{op: remove, at: /a, keepLast: 4}]}] | keepLast: unknown field",
        "request: [{whem: 'true', headers: {remove: [a]}}] | whem: unknown field (did you mean \"when\"?)",
      })
  void what_cannot_be_done_rejects_the_policy(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }
}
