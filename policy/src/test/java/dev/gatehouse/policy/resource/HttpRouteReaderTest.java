package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.HttpRoute.HeaderModifier;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.HttpRoute.Redirect;
import dev.gatehouse.policy.resource.HttpRoute.UrlRewrite;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpRouteReaderTest {
  private static Read read(String spec) {
    return Read.of(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n"
            + spec.indent(2));
  }

  private static final Match ANY =
      new Match(new StringMatch(StringMatch.Type.PATH_PREFIX, "/"), null, List.of(), List.of());

  @Test
  void a_route_is_read() {
    var route = read("""
        parentRefs: [{name: g, namespace: infra, sectionName: http, port: 80}]
        hostnames: [shop.example.com, "*.example.org"]
        rules:
        - name: orders
          matches:
          - path: {type: Exact, value: /orders}
            method: GET
            headers: [{name: X-A, value: b}, {name: c, type: RegularExpression, value: "d+"}]
            queryParams: [{name: Q, value: "1"}]
          filters:
          - type: RequestHeaderModifier
            requestHeaderModifier: {set: [{name: X-S, value: t}], add: [{name: a, value: ""}], remove: [X-R]}
          - type: URLRewrite
            urlRewrite: {hostname: a.example.com, path: {type: ReplaceFullPath, replaceFullPath: /x}}
          backendRefs:
          - {name: svc, port: 8080, weight: 3}
          - {group: gateway.envoyproxy.io, kind: Backend, name: b}
          timeouts: {request: 10s}
        - filters: [{type: RequestRedirect, requestRedirect: {scheme: https, port: 443, statusCode: 301}}]
        """).only(HttpRoute.class);

    assertThat(route.parentRefs())
        .containsExactly(
            new HttpRoute.ParentRef("infra", "g", "http", 80, new Origin("p.yaml", 5, 16)));
    assertThat(route.hostnames()).containsExactly("shop.example.com", "*.example.org");
    var rule = route.rules().getFirst();
    assertThat(rule.name()).isEqualTo("orders");
    assertThat(rule.matches())
        .containsExactly(new Match(
            new StringMatch(StringMatch.Type.EXACT, "/orders"),
            "GET",
            List.of(
                new NamedMatch("x-a", new StringMatch(StringMatch.Type.EXACT, "b")),
                new NamedMatch("c", new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "d+"))),
            List.of(new NamedMatch("Q", new StringMatch(StringMatch.Type.EXACT, "1")))));
    assertThat(rule.filters())
        .satisfiesExactly(
            f -> assertThat(((HeaderModifier) f).set())
                .containsExactly(new HttpRoute.Header("x-s", "t")),
            f -> assertThat(((UrlRewrite) f).path())
                .isEqualTo(new HttpRoute.PathRewrite(true, "/x")));
    assertThat(rule.backendRefs()).extracting(HttpRoute.BackendRef::weight).containsExactly(3, 1);
    assertThat(rule.backendRefs().get(1).ref().namespace()).isEqualTo("default");
    assertThat(rule.requestTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(route.rules().get(1).matches()).containsExactly(ANY);
    assertThat(route.rules().get(1).filters())
        .singleElement()
        .isInstanceOfSatisfying(Redirect.class, r -> assertThat(r.statusCode()).isEqualTo(301));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a}}}] | requestMirror: not supported yet",
        "filters: [{type: ExtensionRef, extensionRef: {name: a}}] | filter type \"ExtensionRef\" is not supported",
        "filters: [{type: URLRewrite}] | \"urlRewrite\" is missing: type URLRewrite needs it",
        "filters: [{type: URLRewrite, urlRewrite: {}, requestRedirect: {}}] | holds more than what its type names",
        "filters: [{type: URLRewrite, urlRewrite: {}}, {type: URLRewrite, urlRewrite: {}}] | a filter of one type stands twice",
        "filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /}}}] | does not go with this type (expected: replaceFullPath)",
        "filters: [{type: RequestRedirect, requestRedirect: {statusCode: 304}}] | is not one of 301, 302, 303, 307, 308",
        "filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: \"b\\nc\"}]}}] | holds a control character",
        "backendRefs: [{name: a}] | \"port\" is missing: a Service needs one",
        "backendRefs: [{name: a, port: 80, filters: []}] | filters: not supported yet",
        "backendRefs: [{name: a, port: 99999}] | \"99999\" is out of range (expected: 1 to 65535)",
        "timeouts: {backendRequest: 1s} | backendRequest: not supported yet",
        "timeouts: {request: 1 s} | \"1 s\" is not a duration",
        "retry: {attempts: 2} | retry: not supported yet",
        "sessionPersistence: {} | sessionPersistence: not supported yet",
      })
  void a_rule_that_cannot_be_honoured_keeps_its_matches_and_loses_its_backends(
      String field, String message) {
    var read = read("rules:\n- matches: [{path: {value: /admin}}]\n  " + field
        + "\n- backendRefs: [{name: svc, port: 80}]\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.unreadable()).isEmpty();
    var route = (HttpRoute) read.resources().getFirst();
    assertThat(route.rules().getFirst().matches().getFirst().path().value()).isEqualTo("/admin");
    assertThat(route.rules().getFirst().backendRefs()).isEmpty();
    assertThat(route.rules().getFirst().filters()).isEmpty();
    assertThat(route.rules().get(1).backendRefs()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rules: [{matches: [{path: {value: orders}}]}] | \"orders\" does not begin with '/'",
        "rules: [{matches: [{path: {value: //orders}}]}] | is not normalised",
        "rules: [{matches: [{path: {value: /a/../b}}]}] | is not normalised",
        "rules: [{matches: [{path: {value: /a%2Fb}}]}] | is not normalised",
        "rules: [{matches: [{path: {value: '/a?b'}}]}] | holds characters that a path cannot",
        "rules: [{matches: [{path: {type: RegularExpression, value: '['}}]}] | is not an RE2 regular expression",
        "rules: [{matches: [{path: {type: Prefix, value: /a}}]}] | \"Prefix\" is not one of Exact, PathPrefix, RegularExpression",
        "rules: [{matches: [{method: get}]}] | \"get\" is not one of",
        "rules: [{matches: [{heders: []}]}] | heders: unknown field (did you mean \"headers\"?)",
        "rules: [{name: a}, {name: a}] | two rules are named \"a\"",
        "hostnames: [10.0.0.1] | is not a host name",
        "hostnames: [Shop.example.com] | is not a host name in lower case",
        "hostnames: ['a.*.com'] | is not a host name",
        "parentRefs: [{}] | \"name\" is missing",
      })
  void a_route_whose_matches_cannot_be_relied_on_counts_against_every_route(
      String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.problems())
        .anySatisfy(problem -> assertThat(problem).contains("HTTPRoute default/r is not in force"));
    assertThat(read.resources()).isEmpty();
    assertThat(read.unreadable()).containsExactly("HTTPRoute default/r (p.yaml:1:1)");
  }

  @Test
  void prefix_replacement_needs_prefix_matches() {
    var read = read(
        "rules: [{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]\n");

    assertThat(read.problems())
        .singleElement()
        .asString()
        .endsWith("ReplacePrefixMatch needs PathPrefix matches in its rule");
  }

  @Test
  void a_redirect_takes_no_backend() {
    var read = read(
        "rules: [{filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: a, port: 80}]}]\n");

    assertThat(read.problems())
        .containsExactly("p.yaml:5:11: spec.rules[0]: a rule that redirects has no backendRefs");
  }

  @Test
  void a_parent_that_is_no_gateway_is_skipped_with_a_notice() {
    var read = read("parentRefs: [{group: '', kind: Service, name: s}, {name: g}]\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:5:16: notice: spec.parentRefs[0]: a parent that is no Gateway is not Gatehouse's; skipped");
    assertThat(((HttpRoute) read.resources().getFirst()).parentRefs())
        .extracting(HttpRoute.ParentRef::name)
        .containsExactly("g");
  }
}
