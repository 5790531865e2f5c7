package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.TransformPolicy.BodyMerge;
import dev.gatehouse.policy.resource.TransformPolicy.BodyReplace;
import dev.gatehouse.policy.resource.TransformPolicy.BodyTemplate;
import dev.gatehouse.policy.resource.TransformPolicy.Edits;
import dev.gatehouse.policy.resource.TransformPolicy.JsonDefault;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRemove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRename;
import dev.gatehouse.policy.resource.TransformPolicy.JsonSet;
import dev.gatehouse.policy.resource.TransformPolicy.PathPrefix;
import dev.gatehouse.policy.resource.TransformPolicy.PathRegex;
import dev.gatehouse.policy.resource.TransformPolicy.PathSet;
import dev.gatehouse.policy.resource.TransformPolicy.Replacement;
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
        - name: identity
          when: request.method == 'POST' && has(auth.sub)
          onError: Skip
          headers:
            remove: [X-Internal]
            rename: {X-Old: X-New}
            replace: {x-there: b}
            set: {x-user: "${auth.sub}", X-Roles: [a, "${auth.claims.role}"]}
            addIfAbsent: {x-trace: "${request.id}"}
            add: {via: gatehouse}
          path: {regex: ^/v1/(.*), replacement: /$1}
          query: {remove: [debug], rename: {q: query}, replace: {page: "1"}, set: {tenant: "${auth.tenant}"}, addIfAbsent: {limit: "50"}, add: {Tag: [a, b]}}
          json:
          - {op: set, at: /meta/source, value: "gateway"}
          - {op: set, at: /meta, value: {n: 1.5, t: [true, null, "a\\"b"]}}
          - {op: default, at: /currency, value: EUR}
          - {op: remove, at: /items/*/secret}
          - {op: rename, at: /usr, to: user}
          - {op: move, at: /user/mail, to: /contact/mail}
          - {op: mask, at: /**/card, keepLast: 4}
          metadata: {tier: "${auth.plan}"}
        - when: request.headers['content-type'] == 'text/xml'
          respond: {status: 415, headers: {Content-Type: application/problem+json, vary: [a, b]}, body: '{"title":"send JSON"}'}
        - path: {prefix: /v1, replacement: "/t/${auth.claims.tenant}"}
          form: {remove: [password], set: {source: gateway}}
        - path: {set: "/users/${auth.sub}"}
          body: {merge: {a: null, b: {c: "${request.id}"}}}
        response:
        - when: response.code >= 500
          status: 502
          body: {template: '{"id":"${request.id}"}'}
        - body: {replace: [{regex: "http://(\\\\w+)", replacement: "https://$1"}, {regex: secret, replacement: ""}]}
        - respond: {status: 503}
        """).only(TransformPolicy.class);

    assertThat(policy.requestBytes()).isEqualTo(1024 * 1024);
    assertThat(policy.responseBytes()).isEqualTo(64_000);
    assertThat(policy.passUnprocessable()).isTrue();
    assertThat(policy.transformLocalReplies()).isTrue();
    var step = policy.request().getFirst();
    assertThat(step.name()).isEqualTo("identity");
    assertThat(step.when()).isEqualTo("request.method == 'POST' && has(auth.sub)");
    assertThat(step.skipOnError()).isTrue();
    assertThat(step.headers())
        .isEqualTo(new Edits(
            List.of("x-internal"),
            Map.of("x-old", "x-new"),
            Map.of("x-there", List.of("b")),
            Map.of(
                "x-user", List.of("${auth.sub}"), "x-roles", List.of("a", "${auth.claims.role}")),
            Map.of("x-trace", List.of("${request.id}")),
            Map.of("via", List.of("gatehouse"))));
    assertThat(step.path()).isEqualTo(new PathRegex("^/v1/(.*)", "/$1"));
    assertThat(step.query())
        .isEqualTo(new Edits(
            List.of("debug"),
            Map.of("q", "query"),
            Map.of("page", List.of("1")),
            Map.of("tenant", List.of("${auth.tenant}")),
            Map.of("limit", List.of("50")),
            Map.of("Tag", List.of("a", "b"))));
    assertThat(step.json())
        .satisfiesExactly(
            op -> assertThat(((JsonSet) op).value()).isEqualTo("\"gateway\""),
            op -> assertThat(((JsonSet) op).value())
                .isEqualTo("{\"n\":1.5,\"t\":[true,null,\"a\\\"b\"]}"),
            op -> assertThat(((JsonDefault) op).value()).isEqualTo("\"EUR\""),
            op -> assertThat(op).isInstanceOf(JsonRemove.class),
            op -> assertThat(((JsonRename) op).to()).isEqualTo("user"),
            op -> assertThat(((JsonMove) op).to()).isEqualTo("/contact/mail"),
            op -> assertThat(((JsonMask) op).keepLast()).isEqualTo(4));
    assertThat(step.metadata()).isEqualTo(Map.of("tier", "${auth.plan}"));
    assertThat(step.origin()).isEqualTo(new Origin("p.yaml", 10, 5));
    assertThat(policy.request().get(1).respond())
        .isEqualTo(new TransformPolicy.Respond(
            415,
            Map.of("content-type", List.of("application/problem+json"), "vary", List.of("a", "b")),
            "{\"title\":\"send JSON\"}"));
    assertThat(policy.request().get(2).path())
        .isEqualTo(new PathPrefix("/v1", "/t/${auth.claims.tenant}"));
    assertThat(policy.request().get(2).form())
        .isEqualTo(new Edits(
            List.of("password"),
            Map.of(),
            Map.of(),
            Map.of("source", List.of("gateway")),
            Map.of(),
            Map.of()));
    assertThat(policy.request().get(3).path()).isEqualTo(new PathSet("/users/${auth.sub}"));
    assertThat(policy.request().get(3).body())
        .isEqualTo(new BodyMerge("{\"a\":null,\"b\":{\"c\":\"${request.id}\"}}"));
    assertThat(policy.response().getFirst().status()).isEqualTo(502);
    assertThat(policy.response().getFirst().body())
        .isEqualTo(new BodyTemplate("{\"id\":\"${request.id}\"}"));
    assertThat(policy.response().get(1).body())
        .isEqualTo(new BodyReplace(List.of(
            new Replacement("http://(\\w+)", "https://$1"), new Replacement("secret", ""))));
    assertThat(policy.response().get(2).respond())
        .isEqualTo(new TransformPolicy.Respond(503, Map.of(), ""));
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
        "limits: {requestBytes: 0} | \"0\" is out of range (expected: 1 to 1099511627776 bytes)",
        "limits: {requestBytes: 9999Ei} | is out of range",
        "limits: {requestBytes: ten} | \"ten\" is not a number of bytes such as 10Mi, 64Ki or 1024",
        "onUnprocessable: Ignore | \"Ignore\" is not one of Pass, Reject",
        "request: [{}] | changes nothing (expected: headers, path, query, body, form, json, metadata or respond)",
        "request: [{status: 200}] | status: belongs to a response step",
        "response: [{path: {regex: a, replacement: b}}] | path: belongs to a request step",
        "response: [{body: {template: a}, json: [{op: remove, at: /a}]}] | body, form and json each make another body",
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
        "request: [{json: [{op: copy, at: /a}]}] | \"copy\" is not one of default, mask, move, remove, rename, set",
        "request: [{json: [{op: move, at: /a}]}] | \"to\" is missing",
        "request: [{json: [{op: move, from: /a, to: /b}]}] | from: is called \"at\" here",
        "request: [{json: [{op: move, at: /a, to: b}]}] | \"b\" is not a JSON Pointer",
        "request: [{json: [{op: move, at: /a, to: ''}]}] | is the whole document, to which nothing can be moved",
        "request: [{json: [{op: default, at: /a}]}] | \"value\" is missing",
        "request: [{onError: Ignore, headers: {remove: [a]}}] | \"Ignore\" is not one of Fail, Skip",
        "request: [{name: a, headers: {remove: [a]}}, {name: a, headers: {remove: [b]}}] | another step is called \"a\", too",
        "request: [{headers: {}}] | headers: changes nothing (expected: remove, rename, replace, set, addIfAbsent or add)",
        "request: [{headers: {addIfAbsend: {a: b}}}] | unknown field (did you mean \"addIfAbsent\"?)",
        "request: [{headers: {set: {a: []}}}] | is empty; name what is to go under \"remove\"",
        "request: [{headers: {replace: {host: a}}}] | \"host\" is Envoy's own",
        "request: [{query: {set: {a: 1}}}] | expected a text, got a number: put it in quotes",
        "request: [{query: {set: {'': a}}}] | is no name of a parameter",
        "response: [{form: {remove: [a]}}] | form: belongs to a request step",
        "response: [{query: {remove: [a]}}] | query: belongs to a request step",
        "request: [{path: {prefix: /a}}] | \"replacement\" is missing",
        "request: [{path: {prefix: /a, replacement: b}}] | \"b\" does not begin with '/'",
        "request: [{body: {template: a, merge: {b: c}}}] | expected one of template, replace and merge",
        "request: [{path: {prefix: /a, regex: a, replacement: /b}}] | expected one of regex with replacement, prefix with replacement, and set",
        "request: [{path: {set: '/a?b=c'}}] | holds '?' or '#', which end a path",
        "request: [{path: {set: /a, replacement: /b}}] | replacement: belongs to regex or prefix",
        "request: [{body: {}}] | expected one of template, replace and merge",
        "request: [{body: {merge: [1]}}] | is no object (expected: the members to change; null removes one)",
        "request: [{body: {replace: [{regex: '(a)', replacement: $2}]}}] | $2 is no group of regex",
        "request: [{body: {replace: []}}] | is empty",
        "request: [{body: {merge: {a: 1}}, form: {remove: [a]}}] | body, form and json each make another body",
        "request: [{metadata: {'a b': c}}] | \"a b\" is no key of metadata",
        "request: [{metadata: {}}] | metadata: is empty",
        "request: [{json: [{op: set, at: a, value: 1}]}] | \"a\" is not a JSON Pointer",
        "request: [{json: [{op: set, at: /a~2, value: 1}]}] | is not a JSON Pointer",
        "request: [{json: [{op: set, at: /a}]}] | \"value\" is missing",
        "request: [{json: [{op: set, at: /a, value: .inf}]}] | \".inf\" is no number that JSON has",
        "request: [{json: [{op: remove, at: ''}]}] | the whole document cannot be removed, renamed or moved",
        "request: [{json: [{op: remove, at: /a, keepLast: 4}]}] | keepLast: unknown field",
        "request: [{whem: 'true', headers: {remove: [a]}}] | whem: unknown field (did you mean \"when\"?)",
      })
  void what_cannot_be_done_rejects_the_policy(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void what_looks_like_a_place_is_no_name_to_rename_to() {
    assertThat(read("""
            request:
            - json: [{op: rename, at: /user/usr, to: /user/name}]
            """).problems())
        .containsExactly(
            "p.yaml:7:40: warning: spec.request[0].json[0].to: is the name itself, slash and all (for another place write {op: move, to: /user/name})");
  }

  @Test
  void of_a_field_that_is_cut_short_it_is_said_what_was_meant() {
    assertThat(read("""
            response:
            - json: [{op: mask, at: /card, keep: 4}]
            """).problems())
        .containsExactly(
            "p.yaml:7:34: spec.response[0].json[0].keep: unknown field (did you mean \"keepLast\"?)");
  }
}
