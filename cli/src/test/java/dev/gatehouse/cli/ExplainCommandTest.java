package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.SigningKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ExplainCommandTest {
  private static final Path DEMO = Path.of("../deploy/demo/policies");

  @TempDir
  Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private boolean interactive;

  @Test
  void a_request_that_passes_is_followed_through_all_three_services() throws IOException {
    assertThat(explain(
            DEMO,
            "--path",
            "/orders",
            "--header",
            bearer("orders:read"),
            "--header",
            "x-user: root",
            "--response-header",
            "server: shop/1.0",
            "--response-header",
            "content-type: application/json",
            "--response-body",
            "{\"orders\":[{\"card\":{\"number\":\"4111111111111111\"}}]}"))
        .as(err.toString())
        .isZero();

    assertThat(out.toString())
        .contains("HTTPRoute/shop/orders/")
        .contains("on listener shop/web/http")
        .containsPattern("taken +HTTPRoute/shop/orders/\\w+ \\(below /orders\\): the first")
        .containsPattern("no +HTTPRoute/shop/admin/\\w+ \\(below /admin\\): the path is /orders")
        .containsPattern("who +SecurityPolicy shop/orders \\(.*security.yaml:\\d+:\\d+\\) holds")
        .containsPattern("TransformPolicy shop/elsewhere .* does not: targets the whole Gateway")
        .contains("x-user is taken from the request by Envoy")
        .containsPattern("jwt provider demo ← alg RS256, kid gatehouse-demo-only-rs256.* → asked")
        .containsPattern("rule read: scopes \\[orders:read\\] ← \\[orders:read\\] → holds")
        .contains("allowed by shop/orders")
        .contains("+ x-user: ada")
        .contains("status.code 0: it lets the request pass")
        .contains("- server: shop/1.0")
        .containsPattern("- +\"number\" : \"4111111111111111\"")
        .containsPattern("\\+ +\"number\" : \"\\*{12}1111\"")
        .contains("shop/orders allows 5 a minute for ada: 0 counted, 4 left behind this one")
        .contains("it passes to the upstream: the client gets 200");
  }

  @Test
  void each_end_has_its_code() throws IOException {
    assertThat(explain(DEMO, "--path", "/public")).as(err.toString()).isZero();
    assertThat(explain(DEMO, "--path", "/orders")).isEqualTo(3);
    assertThat(explain(
            DEMO, "--path", "/orders", "--method", "POST", "--header", bearer("orders:read")))
        .isEqualTo(3);
    assertThat(explain(DEMO, "--path", "/nowhere")).isEqualTo(4);
    assertThat(explain(DEMO, "--path", "/a/../orders"))
        .as("not a path that Envoy sends")
        .isEqualTo(5);

    demoWith("security.yaml", "audiences: [shop]", "audience: [shop]");
    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .as("a policy that cannot be honoured")
        .isEqualTo(5);
    assertThat(out.toString()).contains("is REJECTED").contains("did you mean \"audiences\"");

    demoWith("limits.yaml", "requests: 5", "requests: 0");
    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .isEqualTo(6);
    assertThat(out.toString()).contains("over the limit: Envoy answers 429");

    demoWith(
        "transform.yaml",
        "  response:\n  - headers: {remove: [server, x-powered-by]}\n  - when",
        "  request: [{respond: {status: 418, body: short}}]\n  response:\n  - when");
    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .isEqualTo(7);
    assertThat(out.toString())
        .contains("a transformation answers it: the client gets 418")
        .as("who is not asked is not shown")
        .doesNotContain("ratelimit");
  }

  @Test
  void json_has_the_whole_of_it() throws IOException {
    assertThat(explain(
            DEMO, "--path", "/orders", "--header", bearer("orders:read"), "--output", "json"))
        .isZero();

    var json = json();
    assertThat(json.at("/outcome").asString()).isEqualTo("passes");
    assertThat(json.at("/exitCode").asInt(-1)).isZero();
    assertThat(json.at("/route/listener").asString()).isEqualTo("shop/web/http");
    assertThat(json.at("/route/tried/0/answer").asString()).isEqualTo("taken");
    assertThat(json.at("/policies/transform/1/holds").asBoolean(true)).isFalse();
    assertThat(json.at("/extAuthz/answer/ok_response/headers/0/header/value").asString())
        .isEqualTo("ada");
    assertThat(json.at("/extAuthz/answer/dynamic_metadata/auth/sub").asString()).isEqualTo("ada");
    assertThat(json.at("/extProc/answers/0/request_headers").isObject()).isTrue();
    assertThat(json.at("/ratelimit/calls/0/actions/0/limit/remaining").asInt()).isEqualTo(4);
    assertThat(json.at("/ratelimit/calls/0/answer/overall_code").asString()).isEqualTo("OK");
  }

  @Test
  void costs_and_shared_rules_are_told_as_envoy_asks_for_them() throws IOException {
    demoWith("limits.yaml", "limit: {requests: 5, unit: Minute}", """
        limit: {requests: 5, unit: Minute}
                cost:
                  request: {from: Number, number: 2}
                  response: {from: Metadata, metadata: {namespace: envoy.filters.http.ext_authz, key: "auth:weight"}}
              - limit: {requests: 0, unit: Hour}
                shared: true
                cost: {request: {from: Number, number: 7}}
        """.strip());

    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .as(err + "\n" + out)
        .isEqualTo(6);
    assertThat(out.toString())
        .contains("in the domain shop/web/http")
        .contains("it counts 2")
        .contains("shop/orders allows 5 a minute for ada: 0 counted, 3 left behind this one")
        .contains("nothing is counted: the metadata has no number at auth:weight")
        .contains("in the domain shop/orders")
        .contains("descriptor shop/orders/rule/1, rule-0-match--1; it counts 7")
        .contains("over the limit: Envoy answers 429");
  }

  @Test
  void a_plan_is_found_in_what_ext_authz_said_and_a_denial_is_the_policys() throws IOException {
    demoWith("limits.yaml", "requests: 5", "requests: 6");
    Files.writeString(folder.resolve("limits.yaml"), """
        apiVersion: gatehouse.dev/v1alpha1
        kind: RateLimitPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
          rules:
          - name: calls
            clientSelectors: [{metadata: [{key: gatehouse.sub, type: Distinct}, {key: "auth:method", value: jwt}]}]
            limit: {requests: 7, unit: Hour}
            plan: {metadata: {key: gatehouse.sub}, limits: {ada: {requests: 0, unit: Hour, every: 2}}}
          response: {status: 503, headers: {x-help: please}, body: slow down}
        """);

    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .as(err + "\n" + out)
        .isEqualTo(6);
    assertThat(out.toString())
        .contains(
            "where each value of the metadata gatehouse.sub and the metadata auth:method is jwt and each value of the metadata gatehouse.sub")
        .contains("rule-0-metadata-0=ada, rule-0-metadata-1=jwt, rule-0-plan=ada")
        .contains("shop/orders allows 0 a 2 hours for ada")
        .contains("over the limit: Envoy answers 503")
        .contains("the client gets 503");
  }

  @Test
  void of_routes_that_match_too_it_says_why_they_stand_behind() throws IOException {
    demoWith("shop.yaml", "value: /admin}", "value: /orders/admin}");

    explain(folder, "--path", "/orders/admin");

    assertThat(out.toString())
        .containsPattern("taken +HTTPRoute/shop/admin")
        .containsPattern(
            "behind +HTTPRoute/shop/orders/\\w+ .*it matches too, but its path is shorter");
  }

  @Test
  void a_rule_can_be_named_instead_of_matched() throws IOException {
    assertThat(explain(DEMO, "--path", "/x", "--route", "HTTPRoute/shop/orders"))
        .isEqualTo(3);
    assertThat(out.toString()).contains("denied by shop/orders (no-credential");

    assertThat(explain(DEMO, "--path", "/x", "--route", "HTTPRoute/shop/order")).isOne();
    assertThat(err.toString())
        .contains("no route \"HTTPRoute/shop/order\" (did you mean \"HTTPRoute/shop/orders");
  }

  @Test
  void where_several_listeners_have_a_route_one_must_be_chosen() throws IOException {
    demoWith(
        "shop.yaml",
        "  - {name: http, protocol: HTTP, port: 8080}",
        "  - {name: http, protocol: HTTP, port: 8080}\n  - {name: alt, protocol: HTTP, port: 8081}");

    assertThat(explain(folder, "--path", "/public")).isOne();
    assertThat(err.toString()).contains("choose one with --listener: shop/web/http, shop/web/alt");
    assertThat(explain(folder, "--path", "/public", "--listener", "shop/web/alt"))
        .isZero();
    assertThat(out.toString()).contains("on listener shop/web/alt");
    assertThat(explain(folder, "--path", "/public", "--gateway", "shop/wob")).isOne();
    assertThat(err.toString()).contains("no listener \"shop/wob\"");
  }

  @Test
  void a_request_may_stand_in_a_file_and_options_go_before_it() throws IOException {
    var file = Files.writeString(folder.resolve("req.yaml"), """
        path: /orders
        method: POST
        headers: {authorization: "%s", x-many: [a, b]}
        json: {item: beans}
        response: {status: 201, headers: {server: shop}, json: {created: true}}
        """.formatted(
            bearer("orders:write").substring("authorization: ".length())));

    assertThat(explain(DEMO, "--request", file.toString())).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("POST http://localhost/orders")
        .contains("x-many: a")
        .contains("x-many: b")
        .contains("- server: shop")
        .contains("the client gets 201");
    assertThat(explain(DEMO, "--request", file.toString(), "--method", "GET")).isEqualTo(3);

    Files.writeString(file, "path: /orders\nheadrs: {}\n");
    assertThat(explain(DEMO, "--request", file.toString())).isOne();
    assertThat(err.toString())
        .containsPattern("req.yaml:2:\\d+: unknown key \"headrs\" \\(there are: body, headers");
  }

  @Test
  void an_old_token_is_good_at_its_time() throws IOException {
    var key = SigningKey.demo();
    var then = Instant.parse("2026-01-01T12:00:00Z");
    var token = key.token(
        key.header(Map.of()),
        Map.of(
            "iss",
            SigningKey.DEMO_ISSUER,
            "aud",
            SigningKey.DEMO_AUDIENCE,
            "sub",
            "ada",
            "scope",
            "orders:read",
            "iat",
            then.getEpochSecond(),
            "exp",
            then.getEpochSecond() + 60));
    var header = "authorization: Bearer " + token;

    assertThat(explain(DEMO, "--path", "/orders", "--header", header)).isEqualTo(3);
    assertThat(out.toString()).contains("expired");
    assertThat(
            explain(DEMO, "--path", "/orders", "--header", header, "--now", "2026-01-01T12:00:30Z"))
        .isZero();
    assertThat(explain(DEMO, "--path", "/orders", "--now", "yesterday")).isOne();
    assertThat(err.toString()).contains("--now=yesterday (expected: a time in UTC");
  }

  @Test
  void keys_at_a_url_are_fetched_and_what_ext_authz_says_reaches_the_others() throws IOException {
    try (var issuer = Issuer.random()) {
      demoWith(
          "security.yaml",
          "localJWKS: {type: ValueRef, valueRef: {group: \"\", kind: ConfigMap, name: demo-only-keys}}",
          "remoteJWKS: {uri: \"" + issuer.url() + "/jwks.json\"}");
      demoWith(
          "transform.yaml",
          "HTTPRoute, name: orders}]\n",
          "HTTPRoute, name: orders}]\n"
              + "  request: [{headers: {set: {x-who: \"${auth.sub} by ${auth.method}\"}}}]\n",
          false);
      var now = Instant.now().getEpochSecond();
      var token = issuer.token(
          "ES256",
          Map.of(),
          Map.of(
              "iss",
              SigningKey.DEMO_ISSUER,
              "aud",
              SigningKey.DEMO_AUDIENCE,
              "sub",
              "grace",
              "scope",
              "orders:read",
              "exp",
              now + 60));

      assertThat(explain(folder, "--path", "/orders", "--header", "authorization: Bearer " + token))
          .as(out + "\n" + err)
          .isZero();

      assertThat(out.toString())
          .contains("the keys of the provider demo are fetched")
          .contains("+ x-user: grace")
          .contains("+ x-who: grace by jwt")
          .contains("rule-0-match-0=grace");
    }
  }

  @Test
  void a_provider_that_does_not_answer_leaves_the_request_undecided() throws IOException {
    demoWith(
        "security.yaml",
        "localJWKS: {type: ValueRef, valueRef: {group: \"\", kind: ConfigMap, name: demo-only-keys}}",
        "remoteJWKS: {uri: \"http://127.0.0.1:1/jwks.json\"}");

    assertThat(explain(folder, "--path", "/orders", "--header", bearer("orders:read")))
        .isEqualTo(5);
    assertThat(out.toString()).contains("unavailable by shop/orders").contains("client gets 503");
  }

  @Test
  void a_preflight_is_pointed_out() throws IOException {
    explain(
        DEMO,
        "--method",
        "OPTIONS",
        "--path",
        "/orders",
        "--header",
        "origin: https://www.shop.example",
        "--header",
        "access-control-request-method: POST");

    assertThat(out.toString()).contains("a CORS preflight");
  }

  @Test
  void nothing_secret_of_a_request_is_in_any_form_of_an_explanation() throws IOException {
    demoWith(
        "security.yaml",
        "      claimToHeaders: [{claim: sub, header: x-user}]\n  authorization:\n    defaultAction: Deny\n    rules:\n    - name: read",
        "      claimToHeaders: [{claim: sub, header: x-user}]\n"
            + "      extractFrom: {params: [ticket], cookies: [sid], headers: [{name: x-pass}]}\n"
            + "  authorization:\n    defaultAction: Deny\n    rules:\n    - name: read");
    // A limit for each key: its descriptor would hold the key. A header that is made of another.
    demoWith("limits.yaml", "name: x-user", "name: x-api-key", false);
    demoWith(
        "transform.yaml",
        "  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]\n",
        "  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]\n"
            + "  request: [{headers: {set: {x-copy: \"${request.headers['x-api-key']}\"}}}]\n",
        false);
    var token = bearer("orders:read").substring("authorization: Bearer ".length());
    var secrets = new ArrayList<>(List.of(
        token,
        token.substring(token.lastIndexOf('.') + 1),
        "key-of-partner-7f3a",
        "sessionvalue-81",
        "p@ss w<or>d=\"1\"",
        "hunter22",
        "tiny",
        "one-time-9941",
        "refresh-me-please"));
    var basic = Base64.getEncoder().encodeToString("ada:hunter22".getBytes(StandardCharsets.UTF_8));
    secrets.add(basic);

    for (var more : List.of(List.<String>of(), List.of("--output", "json"), List.of("color"))) {
      interactive = more.contains("color");
      for (var credential : List.of("cookie: sid=" + token, "cookie: a=b")) {
        var args = new ArrayList<>(List.of(
            "--path",
            "/orders?view=full&api_key=tiny&ticket2=1&otp=one-time-9941",
            "--header",
            "x-api-key: key-of-partner-7f3a",
            "--header",
            credential,
            "--header",
            "cookie: theme=sessionvalue-81",
            "--header",
            "proxy-authorization: Basic " + basic,
            "--header",
            "content-type: application/json",
            "--body",
            "{\"user\":\"ada\",\"password\":\"p@ss w<or>d=\\\"1\\\"\"}",
            "--response-body",
            "{\"refresh_token\":\"refresh-me-please\"}"));
        args.addAll(more.contains("color") ? List.of() : more);
        assertThat(explain(folder, args.toArray(String[]::new)))
            .isEqualTo(credential.contains(token) ? 0 : 3);

        assertThat(out.toString() + err)
            .contains("view=full")
            .doesNotContain(secrets.toArray(String[]::new))
            .doesNotContain("p@ss w<or>d=\\\"1\\\"", "p@ss w\\u003cor")
            .contains("key-…7f3a");
      }
    }
    assertThat(out.toString()).contains("\u001b[");
  }

  @Test
  void a_header_without_a_colon_is_not_repeated_in_the_message() throws IOException {
    assertThat(explain(DEMO, "--path", "/", "--header", "Bearer abcdefgh")).isOne();
    assertThat(err.toString()).contains("a header has no colon").doesNotContain("abcdefgh");
  }

  private static String bearer(String scope) {
    var key = SigningKey.demo();
    var now = Instant.now().getEpochSecond();
    return "authorization: Bearer "
        + key.token(
            key.header(Map.of()),
            Map.of(
                "iss",
                SigningKey.DEMO_ISSUER,
                "aud",
                SigningKey.DEMO_AUDIENCE,
                "sub",
                "ada",
                "scope",
                scope,
                "iat",
                now,
                "exp",
                now + 600));
  }

  private void demoWith(String file, String text, String instead) throws IOException {
    demoWith(file, text, instead, true);
  }

  /** @param afresh the other files are the demo's again */
  private void demoWith(String file, String text, String instead, boolean afresh)
      throws IOException {
    try (var files = Files.list(DEMO)) {
      for (var from : files.toList()) {
        var to = folder.resolve(from.getFileName());
        if (afresh || !Files.exists(to)) {
          Files.writeString(to, Files.readString(from));
        }
      }
    }
    var changed = folder.resolve(file);
    var content = Files.readString(changed);
    assertThat(content).contains(text);
    Files.writeString(
        changed, content.replaceFirst(Pattern.quote(text), Matcher.quoteReplacement(instead)));
  }

  private int explain(Path policies, String... options) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var args = new ArrayList<>(List.of("explain", "--policies", policies.toString()));
    args.addAll(List.of(options));
    return Gatehouse.run(
        new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), Map.of(), interactive),
        args.toArray(String[]::new));
  }

  private JsonNode json() {
    return JsonMapper.shared().readTree(out.toString());
  }
}
