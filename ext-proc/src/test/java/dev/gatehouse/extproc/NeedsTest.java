package dev.gatehouse.extproc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.extproc.Needs.Mode;
import dev.gatehouse.extproc.Needs.Reason;
import dev.gatehouse.extproc.Needs.Way;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.Load;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NeedsTest {
  private static final String ROUTE = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec: {parentRefs: [{name: web}], rules: [{name: all}]}
      """;

  private static final String POLICY = """
      ---
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: t, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
        limits: {requestBytes: 1000, responseBytes: 2000}
      """;

  private static final String MASKS = "json: [{op: mask, at: /card, keepLast: 4}]";

  @Test
  void a_route_without_a_policy_needs_no_callout() {
    assertThat(Needs.of(rule(ROUTE)).any()).isFalse();
  }

  @Test
  void a_policy_without_steps_needs_no_callout() {
    assertThat(needs("localReplies: Skip").any()).isFalse();
  }

  @Test
  void a_rejected_policy_needs_the_request_headers_so_that_the_stream_can_be_failed() {
    var needs = Needs.of(rule(ROUTE + POLICY + "  request: [{heders: {}}]\n"));
    assertThat(needs.request().sendsHeaders()).isTrue();
    assertThat(needs.response()).isEqualTo(Way.NOTHING);
    assertThat(needs.anyBody()).isFalse();
  }

  @Test
  void
      a_policy_that_does_not_compile_needs_the_request_headers_too_and_what_of_it_can_be_compiled() {
    var needs = needs("response: [{" + MASKS + ", when: nothing.here}]");
    assertThat(needs.request().headers().getFirst()).satisfies(reason -> {
      assertThat(reason).hasToString("TransformPolicy shop/t (policies.yaml:11:1)");
      assertThat(reason.why()).contains("cannot be honoured");
    });
    assertThat(needs.response().body()).isEqualTo(How.STREAM);
  }

  @Test
  void response_headers_alone_need_no_message_about_the_request() {
    for (var step : List.of(
        "headers: {remove: [server]}",
        "{when: response.code >= 500, status: 502}",
        "headers: {set: {x-user: '${auth.sub}'}}")) {
      var needs = needs("response: [%s]".formatted(step.startsWith("{") ? step : "{" + step + "}"));
      assertThat(needs.request().sendsHeaders()).as(step).isFalse();
      assertThat(needs.response().sendsHeaders()).as(step).isTrue();
      assertThat(needs.anyBody()).as(step).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{when: request.method == 'GET', headers: {remove: [server]}}",
        "{headers: {set: {x-id: '${request.id}'}}}",
        "{headers: {add: {x-from: '${source.address}'}}}",
        "{body: {template: '${request.path}'}}",
        "{body: {template: none}}",
        "{json: [{op: set, at: /id, value: {deep: ['${request.id}']}}]}",
        "{json: [{op: remove, at: /id}]}",
        "{when: response.body.x == 1, headers: {remove: [x-powered-by]}}",
      })
  void a_response_step_that_looks_at_the_request_needs_its_headers(String step) {
    var needs = needs("response: [{headers: {remove: [server]}}, " + step + "]");
    assertThat(needs.request().headers()).extracting(Reason::step).containsOnly("response[1]");
    assertThat(needs.request().body()).isEqualTo(How.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{op: set, at: /a/b, value: 1}",
        "{op: set, at: /a, value: '${request.id}'}",
        "{op: remove, at: /items/*/secret}",
        "{op: rename, at: /usr, to: user}",
        "{op: mask, at: /card/number, keepLast: 4}",
      })
  void json_that_is_changed_where_it_passes_streams(String op) {
    var needs = needs("request: [{json: [" + op + "]}]");
    assertThat(needs.request().body()).isEqualTo(How.STREAM);
    assertThat(needs.request().limit()).isEqualTo(1000);
    assertThat(needs.mode(Direction.REQUEST)).isEqualTo(Mode.FULL_DUPLEX_STREAMED);
    assertThat(needs.mode(Direction.RESPONSE)).isEqualTo(Mode.NONE);
    assertThat(needs.buffer()).as("nothing is held in Envoy").isZero();
    assertThat(needs.response()).isEqualTo(Way.NOTHING);
  }

  @Test
  void a_step_that_reads_a_body_needs_the_whole_of_it_and_says_where() {
    var needs = needs("""
        response:
          - json: [{op: mask, at: /card}]
          - when: response.body.state == 'open'
            headers: {set: {x-open: "1"}}
        """.strip());
    assertThat(needs.response().body()).isEqualTo(How.WHOLE);
    assertThat(needs.response().bodyReasons()).singleElement().satisfies(reason -> {
      assertThat(reason.step()).isEqualTo("response[1]");
      assertThat(reason.why()).isEqualTo("its when reads response.body");
      assertThat(reason.origin().line()).isEqualTo(19);
    });
    assertThat(needs.mode(Direction.RESPONSE)).isEqualTo(Mode.BUFFERED);
    assertThat(needs.buffer()).isEqualTo(2000);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "NONE   | NONE   |             | request: [{query: {set: {a: '${request.path}'}}, path: {prefix: /a, replacement: /b}}]",
        "STREAM | NONE   |             | request: [{json: [{op: set, at: /a, value: {b: ['${request.path}']}}]}]",
        "WHOLE  | NONE   | json        | request: [{json: [{op: set, at: /a, value: '${request.body.b}'}]}]",
        "STREAM | NONE   |             | request: [{json: [{op: default, at: /a, value: 1}, {op: remove, at: /**/b}]}]",
        "WHOLE  | NONE   | moves       | request: [{json: [{op: mask, at: /c}, {op: move, at: /a, to: /b}]}]",
        "WHOLE  | NONE   | form        | request: [{form: {set: {a: b}}}]",
        "NONE   | NONE   |             | request: [{body: {template: '{}'}}]",
        "WHOLE  | NONE   | its body    | request: [{body: {template: '${request.body.a}'}}]",
        "STREAM | NONE   |             | request: [{body: {merge: {a: 1, b: null, c: {d: '${auth.sub}'}}}}]",
        "WHOLE  | NONE   | its body    | request: [{body: {merge: {c: {d: '${request.body.a}'}}}}]",
        "WHOLE  | NONE   | expressions | request: [{body: {replace: [{regex: a, replacement: b}]}}]",
        "WHOLE  | NONE   | its when    | request: [{when: request.body.a == 1, respond: {status: 400}}]",
        "WHOLE  | NONE   | its respond | request: [{respond: {status: 400, body: '${request.body.a}'}}]",
        "WHOLE  | NONE   | its respond | request: [{respond: {status: 400, headers: {x-a: '${request.body.a}'}}}]",
        "WHOLE  | NONE   | metadata    | request: [{metadata: {a: '${request.body.a}'}}]",
        "WHOLE  | NONE   | its path    | request: [{path: {set: '/${request.body.a}'}}]",
        "WHOLE  | NONE   | its query   | request: [{query: {add: {b: '${request.body.a}'}}}]",
        "NONE   | NONE   |             | response: [{when: response.code > 400, status: 502, body: {template: '{}'}}]",
        "NONE   | STREAM |             | response: [{json: [{op: mask, at: /a}]}]",
        "WHOLE  | NONE   | its headers | response: [{headers: {set: {x-a: '${request.body.a}'}}}]",
        "NONE   | WHOLE  | its headers | response: [{json: [{op: mask, at: /a}]}, {headers: {set: {a: '${response.body.a}'}}}]",
      })
  void a_body_is_needed_as_far_as_the_steps_see_it(
      How request, How response, @Nullable String why, String spec) {
    var needs = needs(spec);
    assertThat(needs.request().body()).isEqualTo(request);
    assertThat(needs.response().body()).isEqualTo(response);
    if (why != null) {
      var way = request == How.WHOLE ? needs.request() : needs.response();
      assertThat(way.bodyReasons())
          .singleElement()
          .extracting(Reason::why)
          .asString()
          .contains(why);
    }
  }

  @Test
  void a_response_step_may_need_the_requests_body() {
    var needs = needs("response: [{headers: {set: {x-order: '${request.body.id}'}}}]");
    assertThat(needs.request().body()).isEqualTo(How.WHOLE);
    assertThat(needs.response().body()).isEqualTo(How.NONE);
    assertThat(needs.request().sendsHeaders()).isTrue();
  }

  @Test
  void full_duplex_is_never_mixed_with_buffering() {
    var needs =
        needs("request: [{when: request.body.x == 1, headers: {remove: [a]}}]\n  response: [{"
            + MASKS + "}]");
    assertThat(needs.request().body()).isEqualTo(How.WHOLE);
    assertThat(needs.response().body()).isEqualTo(How.STREAM);
    assertThat(needs.mode(Direction.REQUEST)).isEqualTo(Mode.FULL_DUPLEX_STREAMED);
    assertThat(needs.mode(Direction.RESPONSE)).isEqualTo(Mode.FULL_DUPLEX_STREAMED);
    assertThat(needs.buffer()).isZero();
  }

  @Test
  void a_step_that_writes_metadata_is_named_and_so_is_a_named_step() {
    var needs = needs(
        "request: [{headers: {set: {x-a: b}}}, {name: count, metadata: {tenant: '${request.path}'}}]");
    assertThat(needs.writesMetadata()).hasToString("request[1] \"count\" (policies.yaml:17:41)");
    assertThat(needs("request: [{headers: {set: {x-a: b}}}]").writesMetadata()).isNull();
  }

  @Test
  void what_envoy_answers_by_itself_is_told_apart_unless_it_is_to_be_changed_too() {
    var step = "response: [{headers: {remove: [server]}}]";
    assertThat(needs(step).response().attributes()).containsOnlyKeys(Needs.CODE_DETAILS);
    assertThat(needs("localReplies: Transform\n  " + step).response().attributes())
        .isEmpty();
  }

  @Test
  void the_clients_address_is_asked_for_where_a_step_reads_it() {
    var needs = needs("request: [{headers: {set: {x-from: '${source.address}'}}}]");
    assertThat(needs.request().attributes()).containsOnlyKeys(Needs.SOURCE_ADDRESS);
    assertThat(needs("request: [{headers: {set: {x-from: a}}}]").request().attributes())
        .isEmpty();
  }

  @Test
  void metadata_is_asked_for_by_the_namespaces_that_are_read() {
    var needs = needs(
        "request: [{when: has(auth.sub), headers: {set: {x: \"${metadata['my.filter'].tier}\"}}}]");
    assertThat(needs.metadata()).containsOnlyKeys(Bindings.AUTHZ_NAMESPACE, "my.filter");
    assertThat(needs("request: [{headers: {set: {x: a}}}]").metadata()).isEmpty();
  }

  private static Needs needs(String spec) {
    return Needs.of(rule(ROUTE + POLICY + "  " + spec + "\n"));
  }

  private static AttachedRule rule(String yaml) {
    var load = Load.text("policies.yaml", yaml);
    assertThat(load.problems().all())
        .filteredOn(p -> p.severity() == Problem.Severity.ERROR && !p.message().contains("heders"))
        .filteredOn(p -> !p.path().contains("heders") && !p.message().contains("changes nothing"))
        .isEmpty();
    return load.policies().rules().getFirst();
  }
}
