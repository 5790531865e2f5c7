package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.HttpRoute.GrpcMethod;
import dev.gatehouse.policy.resource.HttpRoute.HeaderModifier;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrpcRouteReaderTest {
  private static Read read(String spec) {
    return Read.of(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: r}\nspec:\n"
            + spec.indent(2));
  }

  @Test
  void a_route_is_read() {
    var route = read("""
        parentRefs: [{name: g, namespace: infra, sectionName: http, port: 80}]
        hostnames: [shop.example.com, "*.example.org"]
        rules:
        - name: orders
          matches:
          - method: {type: Exact, service: shop.v1.Orders, method: List}
            headers: [{name: X-A, value: b}, {name: c, type: RegularExpression, value: "d+"}]
          filters:
          - type: RequestHeaderModifier
            requestHeaderModifier: {set: [{name: X-S, value: t}], remove: [X-R]}
          - type: ResponseHeaderModifier
            responseHeaderModifier: {add: [{name: X-T, value: u}]}
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b, weight: 3}]
        """).only(HttpRoute.class);

    assertThat(route.grpc()).isTrue();
    assertThat(route.meta().title()).isEqualTo("GRPCRoute default/r");
    assertThat(route.parentRefs())
        .containsExactly(
            new HttpRoute.ParentRef("infra", "g", "http", 80, new Origin("p.yaml", 5, 16)));
    assertThat(route.hostnames()).containsExactly("shop.example.com", "*.example.org");
    var rule = route.rules().getFirst();
    assertThat(rule.name()).isEqualTo("orders");
    assertThat(rule.matches())
        .containsExactly(new Match(
            new StringMatch(StringMatch.Type.EXACT, "/shop.v1.Orders/List"),
            null,
            List.of(
                new NamedMatch("x-a", new StringMatch(StringMatch.Type.EXACT, "b")),
                new NamedMatch("c", new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "d+"))),
            List.of(),
            new GrpcMethod("shop.v1.Orders", "List")));
    assertThat(rule.filters())
        .hasOnlyElementsOfType(HeaderModifier.class)
        .extracting(filter -> ((HeaderModifier) filter).response())
        .containsExactly(false, true);
    assertThat(rule.backendRefs()).extracting(HttpRoute.BackendRef::weight).containsExactly(3);
    assertThat(rule.requestTimeout()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{service: a.B, method: C}; EXACT; /a.B/C",
        "{service: a.B}; PATH_PREFIX; /a.B",
        "{service: a.B, method: ''}; PATH_PREFIX; /a.B",
        "{method: C}; REGULAR_EXPRESSION; /[^/]+/C",
        "{type: RegularExpression, service: 'a|b', method: 'C.*'}; REGULAR_EXPRESSION; /(?:a|b)/(?:C.*)",
        "{type: RegularExpression, service: 'a|b'}; REGULAR_EXPRESSION; /(?:a|b)/[^/]+",
        "{type: RegularExpression, method: '(?i)c'}; REGULAR_EXPRESSION; /[^/]+/(?:(?i)c)",
      })
  void a_method_is_a_match_of_the_path(String method, StringMatch.Type type, String path) {
    var route = read("rules: [{matches: [{method: " + method + "}]}]\n").only(HttpRoute.class);

    assertThat(route.rules().getFirst().matches())
        .singleElement()
        .extracting(Match::path)
        .isEqualTo(new StringMatch(type, path));
  }

  @Test
  void an_alternative_in_an_expression_does_not_leave_its_part_of_the_path() {
    var path =
        read("rules: [{matches: [{method: {type: RegularExpression, service: 'a|b', method: 'C|D'}}]}]\n")
            .only(HttpRoute.class)
            .rules()
            .getFirst()
            .matches()
            .getFirst()
            .path();

    assertThat(List.of("/a/C", "/a/D", "/b/C", "/b/D"))
        .allMatch(call -> Pattern.matches(path.value(), call));
    assertThat(List.of("/a", "b/C", "D", "/a/CD", "/c/C"))
        .noneMatch(call -> Pattern.matches(path.value(), call));
  }

  @Test
  void a_rule_without_matches_and_a_route_without_rules_take_every_call() {
    var any = new Match(
        new StringMatch(StringMatch.Type.PATH_PREFIX, "/"),
        null,
        List.of(),
        List.of(),
        new GrpcMethod("", ""));

    for (var spec : List.of("rules: [{name: a}]", "rules: [{matches: [{}]}]", "hostnames: []")) {
      assertThat(read(spec + "\n").only(HttpRoute.class).rules().getFirst().matches())
          .as(spec)
          .containsExactly(any);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a}}}] | requestMirror: not supported yet",
        "filters: [{type: ExtensionRef, extensionRef: {name: a}}] | filter type \"ExtensionRef\" is not supported (expected: RequestHeaderModifier or ResponseHeaderModifier)",
        "filters: [{type: URLRewrite, urlRewrite: {}}] | filter type \"URLRewrite\" is not supported",
        "filters: [{type: RequestHeaderModifier}] | \"requestHeaderModifier\" is missing",
        "filters: [{type: RequestHeaderModifier, requestHeaderModifier: {}, responseHeaderModifier: {}}] | holds more than what its type names",
        "filters: [{type: RequestHeaderModifier, requestHeaderModifier: {}}, {type: RequestHeaderModifier, requestHeaderModifier: {}}] | a filter of one type stands twice",
        "backendRefs: [{name: a}] | \"port\" is missing: a Service needs one",
        "backendRefs: [{name: a, port: 80, filters: []}] | filters: not supported yet",
        "sessionPersistence: {} | sessionPersistence: not supported yet",
      })
  void a_rule_that_cannot_be_honoured_keeps_its_matches_and_loses_its_backends(
      String field, String message) {
    var read = read("rules:\n- matches: [{method: {service: a.Admin}}]\n  " + field
        + "\n- backendRefs: [{name: svc, port: 80}]\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.unreadable()).isEmpty();
    var route = (HttpRoute) read.resources().getFirst();
    assertThat(route.rules().getFirst().matches().getFirst().path().value()).isEqualTo("/a.Admin");
    assertThat(route.rules().getFirst().backendRefs()).isEmpty();
    assertThat(route.rules().getFirst().filters()).isEmpty();
    assertThat(route.rules().get(1).backendRefs()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rules: [{matches: [{method: {}}]}] | names neither a service nor a method",
        "rules: [{matches: [{method: {service: '', method: ''}}]}] | names neither a service nor a method",
        "rules: [{matches: [{method: {service: a/B}}]}] | \"a/B\" is no name of gRPC's",
        "rules: [{matches: [{method: {service: a.B, method: 'C*'}}]}] | \"C*\" is no name of gRPC's",
        "rules: [{matches: [{method: {type: RegularExpression, service: '['}}]}] | is not an RE2 regular expression",
        "rules: [{matches: [{method: {type: RegularExpression, service: 'a{999}{9}', method: 'a{999}{9}'}}]}] | larger regular expression",
        "rules: [{matches: [{method: {type: Prefix, service: a}}]}] | \"Prefix\" is not one of Exact, RegularExpression",
        "rules: [{matches: [{path: {value: /a}}]}] | path: unknown field",
        "rules: [{matches: [{method: POST}]}] | is not a mapping",
        "rules: [{timeouts: {request: 1s}}] | timeouts: unknown field",
        "rules: [{name: a}, {name: a}] | two rules are named \"a\"",
        "hostnames: [10.0.0.1] | is not a host name",
        "parentRefs: [{}] | \"name\" is missing",
      })
  void a_route_whose_matches_cannot_be_relied_on_counts_against_every_route(
      String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.problems())
        .anySatisfy(problem -> assertThat(problem).contains("GRPCRoute default/r is not in force"));
    assertThat(read.resources()).isEmpty();
    assertThat(read.unreadable()).containsExactly("GRPCRoute default/r (p.yaml:1:1)");
  }

  @Test
  void an_http_route_of_the_same_name_is_another_route() {
    var read = Read.of("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata: {name: r}
        spec: {}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r}
        spec: {}
        """);

    assertThat(read.problems()).isEmpty();
    assertThat(read.resources()).hasSize(2);
  }
}
