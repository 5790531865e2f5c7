package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.shop;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PathParametersTest {
  @Test
  void parameters_do_not_lead_past_a_guard_to_a_less_specific_route() {
    var wired = shop(
        route("open", "PathPrefix", "/"),
        route("admin", "PathPrefix", "/a.b/admin/"),
        guard("admin"),
        route("exact", "Exact", "/exact"),
        guard("exact"));
    for (var path : List.of(
        "/a.b;/admin",
        "/a.b;x=1/admin/users",
        "/a.b/admin;x",
        "/a.b/admin%3Bx/users",
        "/a.b;x/admin;y/z;w",
        "/exact;x",
        "/exact;x/")) {
      assertThat(refuses(wired, path)).as(path).isTrue();
    }
    for (var path : List.of(
        "/",
        "/a.b/admin",
        "/a.b/admin/users;x=1",
        "/a.b;x/other",
        "/aXb/admin;x",
        "/a.b/administrator;x",
        "/open;x",
        "/exact",
        "/exact;x/below")) {
      assertThat(refuses(wired, path)).as(path).isFalse();
    }
  }

  @Test
  void nothing_is_refused_where_the_less_specific_route_has_the_same_guard_or_there_is_none() {
    assertThat(expressions(shop(route("admin", "PathPrefix", "/admin"), guard("admin"))))
        .isEmpty();
    assertThat(expressions(shop(route("a", "PathPrefix", "/"), route("b", "PathPrefix", "/b"))))
        .isEmpty();
    var gateway = guard("web").replace("HTTPRoute", "Gateway");
    assertThat(expressions(
            shop(route("a", "PathPrefix", "/"), route("b", "PathPrefix", "/b"), gateway)))
        .isEmpty();
    assertThat(expressions(shop(
            route("a", "PathPrefix", "/"), route("b", "PathPrefix", "/b"), gateway, guard("b"))))
        .hasSize(1);
    assertThat(expressions(shop(
            route("a", "RegularExpression", "/.*"), route("b", "PathPrefix", "/b"), guard("b"))))
        .hasSize(1);
  }

  private static boolean refuses(Wired wired, String path) {
    return expressions(wired).stream().anyMatch(regex -> Pattern.matches(regex, path));
  }

  private static List<String> expressions(Wired wired) {
    return wired
        .hosts()
        .flatMap(h -> Wired.each(h.get("routes")))
        .filter(r -> r.get("name").asString().equals("gatehouse/path-parameters"))
        .map(r -> r.at("/match/safe_regex/regex").asString())
        .toList();
  }

  private static String route(String name, String type, String path) {
    return """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: %s, namespace: shop}
        spec:
          parentRefs: [{name: web}]
          rules:
          - matches: [{path: {type: %s, value: %s}}]
            %s
        """.formatted(name, type, path, TO_UP);
  }

  private static String guard(String name) {
    return """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: SecurityPolicy
        metadata: {name: %s, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: %s}]
          authorization: {defaultAction: Deny}
        """.formatted(name, name);
  }
}
