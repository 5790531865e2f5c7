package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeaderStepsTest {
  private static final String[] GET = {
    ":method",
    "GET",
    ":path",
    "/v1/orders?debug=1&a=%2F%20x",
    ":scheme",
    "https",
    ":authority",
    "shop.example.com",
    "x-old",
    "one",
    "x-old",
    "two",
    "x-internal",
    "secret",
    "x-request-id",
    "r-1"
  };

  @Test
  void headers_are_removed_renamed_set_and_added_in_this_order() {
    var envoy = Transforming.by("""
        request:
        - headers:
            remove: [x-internal]
            rename: {x-old: x-new}
            set: {x-user: bob}
            add: {via: gatehouse, x-new: three}
        """).envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-internal")).isEmpty();
    assertThat(envoy.upstream().values("x-old")).isEmpty();
    assertThat(envoy.upstream().values("x-new")).containsExactly("one", "two", "three");
    assertThat(envoy.upstream().values("x-user")).containsExactly("bob");
    assertThat(envoy.upstream().values("via")).containsExactly("gatehouse");
  }

  @Test
  void a_header_that_is_set_replaces_all_that_a_client_sent() {
    var envoy = Transforming.by("request: [{headers: {set: {x-old: mine}}}]")
        .envoy()
        .requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).containsExactly("mine");
  }

  @Test
  void a_header_that_is_added_leaves_the_others_apart() {
    var envoy = Transforming.by("request: [{headers: {add: {x-old: three}}}]")
        .envoy()
        .requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).containsExactly("one", "two", "three");
  }

  @Test
  void a_rename_of_an_absent_header_leaves_the_other_alone() {
    var envoy = Transforming.by("request: [{headers: {rename: {x-absent: x-old}}}]")
        .envoy()
        .requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).containsExactly("one", "two");
  }

  @Test
  void a_step_sees_what_the_steps_before_it_made() {
    var envoy = Transforming.by("""
        request:
        - headers: {set: {x-tenant: acme}}
        - when: request.headers['x-tenant'] == 'acme'
          headers: {set: {x-seen: "${request.headers['x-tenant']}"}}
        """).envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-seen")).containsExactly("acme");
  }

  @Test
  void a_step_whose_condition_does_not_hold_changes_nothing() {
    var transforming =
        Transforming.by("request: [{when: request.method == 'POST', headers: {remove: [x-old]}}]");
    var envoy = transforming.envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-old")).hasSize(2);
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.UNCHANGED);
  }

  @Test
  void path_and_query_are_changed_and_the_other_parameters_keep_their_encoding() {
    var envoy = Transforming.by("""
        request:
        - path: {regex: "^/v1/(.*)", replacement: "/$1"}
          query: {set: {tenant: "a&b"}, remove: [debug]}
        """).envoy().requestHeaders(true, GET);
    assertThat(envoy.upstream().values(":path")).containsExactly("/orders?a=%2F%20x&tenant=a%26b");
  }

  @Test
  void the_identity_that_ext_authz_found_is_there_for_templates() {
    var auth = Struct.newBuilder()
        .putFields(
            "auth",
            struct(Struct.newBuilder()
                .putFields("method", text("jwt"))
                .putFields("sub", text("bob"))
                .putFields(
                    "claims",
                    struct(Struct.newBuilder()
                        .putFields("tenant", text("acme"))
                        .putFields("age", Value.newBuilder().setNumberValue(42).build())
                        .build()))
                .build()))
        .build();
    var envoy = Transforming.by("""
        request:
        - when: has(auth.sub)
          headers: {set: {x-user: "${auth.sub}", x-tenant: "${auth.claims.tenant}"}}
        """)
        .envoy()
        .metadata("envoy.filters.http.ext_authz", auth)
        .requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-user")).containsExactly("bob");
    assertThat(envoy.upstream().values("x-tenant")).containsExactly("acme");
  }

  @Test
  void attributes_tell_the_address_and_the_binding_tells_the_route() {
    var envoy = Transforming.by("""
        request: [{headers: {set: {x-from: "${source.address}", x-route: "${route.name}/${route.rule}"}}}]
        """)
        .envoy()
        .attribute("source.address", "[2001:db8::1]:4711")
        .requestHeaders(true, GET);
    assertThat(envoy.upstream().values("x-from")).containsExactly("2001:db8::1");
    assertThat(envoy.upstream().values("x-route")).containsExactly("orders/list");
  }

  @Test
  void a_status_and_response_headers_are_changed() {
    var transforming = Transforming.by("""
        response:
        - when: response.code >= 500
          status: 502
        - headers: {remove: [server], set: {x-for: "${request.url_path}"}}
        """);
    var envoy = transforming
        .envoy()
        .requestHeaders(true, GET)
        .responseHeaders(false, ":status", "503", "server", "x");
    assertThat(envoy.client().values(":status")).containsExactly("502");
    assertThat(envoy.client().values("server")).isEmpty();
    assertThat(envoy.client().values("x-for")).containsExactly("/v1/orders");
    var decision = transforming.decision();
    assertThat(decision.outcome()).isEqualTo(Outcome.CHANGED);
    assertThat(decision.detail()).isEqualTo("status 502, -server, x-for=");
    assertThat(decision.requestId()).isEqualTo("r-1");
    assertThat(decision.path()).as("the query may hold secrets").isEqualTo("/v1/orders");
  }

  @Test
  void respond_answers_at_once_and_later_steps_do_not_run() {
    var transforming = Transforming.by("""
        request:
        - when: request.method == 'GET'
          respond: {status: 415, headers: {content-type: application/problem+json}, body: '{"id":"${request.id}"}'}
        - headers: {remove: [x-old]}
        """);
    var answer = transforming.envoy().requestHeaders(true, GET).immediate().orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(415);
    assertThat(answer.getBody().toStringUtf8()).isEqualTo("{\"id\":\"r-1\"}");
    assertThat(answer.getHeaders().getSetHeaders(0).getHeader().getRawValue().toStringUtf8())
        .isEqualTo("application/problem+json");
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.RESPONDED);
  }

  @Test
  void a_body_template_replaces_the_response_without_reading_it() {
    var envoy = Transforming.by("""
        response:
        - when: response.code >= 500
          status: 502
          body: {template: '{"error":"upstream failed","id":"${request.id}"}'}
        """)
        .envoy()
        .requestHeaders(true, GET)
        .responseHeaders(false, ":status", "500", "content-length", "12345");
    assertThat(envoy.client().replaced()).isTrue();
    assertThat(envoy.client().body()).isEqualTo("{\"error\":\"upstream failed\",\"id\":\"r-1\"}");
  }

  @Test
  void a_body_template_gives_no_body_to_an_answer_that_has_none() {
    var envoy = Transforming.by("response: [{status: 502, body: {template: x}}]")
        .envoy()
        .requestHeaders(true, ":method", "HEAD", ":path", "/")
        .responseHeaders(true, ":status", "500");
    assertThat(envoy.client().replaced()).isFalse();
    assertThat(envoy.client().values(":status")).containsExactly("502");
  }

  @Test
  void what_a_template_makes_of_a_request_cannot_smuggle_a_header_in() {
    var transforming =
        Transforming.by("request: [{headers: {set: {x-q: \"${request.query['q']}\"}}}]");
    var answer = transforming
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", "/?q=a%0d%0ax-admin:%20yes")
        .immediate()
        .orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(500);
    assertThat(transforming.decision().outcome()).isEqualTo(Outcome.FAILED);
  }

  @Test
  void a_condition_that_cannot_be_evaluated_fails_the_request_closed() {
    var transforming = Transforming.by("""
        request:
        - when: request.headers['x-absent'] == 'a'
          headers: {remove: [x-old]}
        """);
    var answer = transforming.envoy().requestHeaders(true, GET).immediate().orElseThrow();
    assertThat(answer.getStatus().getCodeValue()).isEqualTo(500);
    assertThat(answer.getBody().toStringUtf8()).doesNotContain("x-absent");
  }

  @Test
  void local_replies_are_left_alone_unless_the_policy_says_otherwise() {
    var skip = "response: [{headers: {set: {x-a: a}}}]";
    assertThat(localReply(skip).client().values("x-a")).isEmpty();
    assertThat(localReply("localReplies: Transform\n" + skip).client().values("x-a"))
        .containsExactly("a");
  }

  @Test
  void an_upstreams_answer_is_no_local_reply_nor_is_one_that_envoy_has_cached() {
    for (var details :
        List.of("via_upstream", "cache.response_from_cache_filter", "cache.insert_via_upstream")) {
      var envoy = Transforming.by("response: [{headers: {set: {x-a: a}}}]")
          .envoy()
          .requestHeaders(true, GET)
          .attribute("response.code_details", details)
          .responseHeaders(true, ":status", "200");
      assertThat(envoy.client().values("x-a")).as(details).containsExactly("a");
    }
  }

  private static EnvoyStream localReply(String spec) {
    return Transforming.by(spec)
        .envoy()
        .attribute("response.code_details", "ext_authz_denied")
        .responseHeaders(false, ":status", "401");
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  private static Value struct(Struct struct) {
    return Value.newBuilder().setStructValue(struct).build();
  }
}
