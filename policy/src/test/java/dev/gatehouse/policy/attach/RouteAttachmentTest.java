package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.GATEWAY_API;
import static dev.gatehouse.policy.attach.Fixtures.backend;
import static dev.gatehouse.policy.attach.Fixtures.exact;
import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.meta;
import static dev.gatehouse.policy.attach.Fixtures.method;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.ref;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.Fixtures.sound;
import static dev.gatehouse.policy.attach.Fixtures.targets;
import static dev.gatehouse.policy.attach.Fixtures.texts;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.ConfigMap;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.ReferenceGrant;
import dev.gatehouse.policy.resource.Secret;
import dev.gatehouse.policy.resource.SecurityPolicy.RefJwks;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Routes on listeners, and the references between resources. */
class RouteAttachmentTest {
  private static final String BACKENDS = "gateway.envoyproxy.io";
  private final Problems problems = new Problems();

  @Test
  void a_route_hangs_on_every_listener_of_its_gateway() {
    var set = sound(
        gateway("shop/web", listener("http"), listener("alt")),
        route("shop/orders", rule("create", prefix("/orders")), rule("list", exact("/list"))));

    assertThat(set.rules())
        .extracting(rule -> rule.listener() + " " + rule.route() + " " + rule.index())
        .containsExactly(
            "shop/web/http HTTPRoute/shop/orders/create 0",
            "shop/web/http HTTPRoute/shop/orders/list 1",
            "shop/web/alt HTTPRoute/shop/orders/create 0",
            "shop/web/alt HTTPRoute/shop/orders/list 1");
  }

  @Test
  void a_parent_may_name_one_listener_or_a_port() {
    var web = gateway(
        "shop/web",
        listener("a"),
        listener("b"),
        listener("c", 8080, null, new AllowedRoutes(From.SAME, Map.of())));

    assertThat(listeners(web, List.of(parent("shop/web", "b", null)))).containsExactly("b");
    assertThat(listeners(web, List.of(parent("shop/web", null, 8080)))).containsExactly("c");
    assertThat(listeners(web, List.of(parent("shop/web", "a", 8080)))).isEmpty();
  }

  @Test
  void a_listener_that_several_parents_lead_to_has_the_route_once() {
    var web = gateway("shop/web", listener("a"), listener("b"));

    assertThat(listeners(web, List.of(parent("shop/web"), parent("shop/web", "b", null))))
        .containsExactly("a", "b");
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "-, '', *",
        "shop.example.com, '', shop.example.com",
        "-, a.example.com b.example.com, a.example.com b.example.com",
        "Shop.Example.com, SHOP.example.COM, shop.example.com",
        "*.example.com, a.b.example.com, a.b.example.com",
        "*.example.com, example.com, ''",
        "*.example.com, other.org a.example.com, a.example.com",
        "a.example.com, *.example.com, a.example.com",
        "*.example.com, *.shop.example.com, *.shop.example.com",
        "*.shop.example.com, *.example.com, *.shop.example.com",
        "*.example.com, *.example.org, ''",
        "*.example.com, notexample.com, ''",
        "shop.example.com, other.example.com, ''"
      })
  void a_route_and_a_listener_agree_on_hostnames(String listener, String route, String agreed) {
    assertThat(String.join(
            " ",
            Hostnames.agreed(listener, route.isEmpty() ? List.of() : List.of(route.split(" ")))))
        .isEqualTo(agreed);
  }

  @Test
  void a_route_that_agrees_with_no_listener_is_a_warning() {
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http", "shop.example.com")),
        route(
            "shop/orders",
            List.of(parent("shop/web")),
            List.of("other.org"),
            rule("all", prefix("/"))));

    assertThat(set.rules()).isEmpty();
    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.parentRefs[0]: no listener of Gateway \"shop/web\" takes HTTPRoute shop/orders: listener \"http\" has the hostname shop.example.com, the route has other.org");
  }

  @Test
  void a_parent_that_is_not_there_is_a_warning_with_those_that_are() {
    Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        route("shop/a", List.of(parent("shop/wed")), List.of(), rule("all", prefix("/"))),
        route(
            "shop/b",
            List.of(parent("shop/web", "https", null)),
            List.of(),
            rule("all", prefix("/"))));

    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.parentRefs[0].name: no Gateway \"shop/wed\" (did you mean \"shop/web\"? there are: shop/web)",
            "shop.yaml:3:5: warning: spec.parentRefs[0].sectionName: Gateway \"shop/web\" has no listener \"https\" (there are: http:80)");
  }

  @Test
  void a_listener_lets_in_routes_of_its_own_namespace_of_all_or_of_one_by_name() {
    var web = gateway(
        "infra/web",
        listener("same", 1, null, new AllowedRoutes(From.SAME, Map.of())),
        listener("all", 2, null, new AllowedRoutes(From.ALL, Map.of())),
        listener("shop", 3, null, selector("kubernetes.io/metadata.name", "shop")),
        listener("other", 4, null, selector("kubernetes.io/metadata.name", "other")),
        listener("none", 5, null, new AllowedRoutes(From.SELECTOR, Map.of())));

    assertThat(listeners(web, List.of(parent("infra/web")))).containsExactly("all", "shop", "none");
  }

  @Test
  void a_namespace_selector_that_cannot_be_decided_is_an_error_and_lets_nothing_in() {
    var set = Fixtures.attach(
        problems,
        gateway("infra/web", listener("http", 80, null, selector("team", "shop"))),
        route("shop/orders", List.of(parent("infra/web")), List.of(), rule("all", prefix("/"))));

    assertThat(set.rules()).isEmpty();
    assertThat(problems.hasErrors()).isTrue();
    assertThat(texts(problems))
        .anySatisfy(
            text -> assertThat(text).contains("the labels of namespace \"shop\" are not known"));
  }

  @Test
  void a_rule_without_a_name_has_one_of_its_matches_wherever_it_stands() {
    var named = rule("create", prefix("/orders"));
    var unnamed = rule(null, exact("/a"), method(prefix("/b"), "GET"));
    var before = keys(route("shop/orders", named, unnamed));
    var after = keys(route("shop/orders", unnamed, rule(null, prefix("/new")), named));

    assertThat(before).hasSize(2).contains("create");
    assertThat(before.get(1)).matches("[0-9a-f]{8}").isEqualTo(after.getFirst());
    assertThat(after).doesNotHaveDuplicates();
  }

  @Test
  void rules_with_the_same_matches_are_told_apart_with_a_warning() {
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        route("shop/orders", rule(null, prefix("/a")), rule(null, prefix("/a"))));

    var first = set.rules().getFirst().route().rule();
    assertThat(set.rules())
        .extracting(rule -> rule.route().rule())
        .containsExactly(first, first + "-2");
    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.rules[1]: another rule of HTTPRoute shop/orders has the same matches, so no request comes here: remove one, or change its matches");
  }

  @Test
  void a_resource_that_is_there_twice_is_an_error_and_the_first_counts() {
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        route("shop/orders", rule("first", prefix("/"))),
        route("shop/orders", rule("second", prefix("/"))));

    assertThat(set.rules()).extracting(rule -> rule.route().rule()).containsExactly("first");
    assertThat(problems.errors()).isOne();
  }

  @Test
  void of_policies_that_are_there_twice_none_holds_and_both_are_rejected() {
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        route("shop/orders", rule("all", prefix("/"))),
        route("shop/public", rule("all", prefix("/public"))),
        Fixtures.security("shop/p", targets(Fixtures.target("HTTPRoute", "orders", null))),
        Fixtures.security("shop/p", targets(Fixtures.target("HTTPRoute", "public", null))));

    assertThat(Fixtures.security(set))
        .containsExactly("http all: rejected shop/p", "http all: rejected shop/p");
    assertThat(problems.errors()).isOne();
  }

  @Test
  void a_backend_that_is_not_there_is_an_error_with_those_that_are() {
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        backend("shop/orders"),
        route("shop/r", rule("all", ref(BACKENDS, "Backend", "shop/order"))));

    assertThat(texts(problems))
        .containsExactly(
            "shop/order:9:9: spec.rules[0].backendRefs[0].name: no Backend \"shop/order\" (did you mean \"shop/orders\"? there are: shop/orders)");
    assertThat(set.backend(ref(BACKENDS, "Backend", "shop/order"))).isNull();
    assertThat(set.backend(ref(BACKENDS, "Backend", "shop/orders"))).isNotNull();
  }

  @Test
  void a_reference_into_another_namespace_without_a_grant_is_an_error_and_finds_nothing() {
    var reference = ref(BACKENDS, "Backend", "other/upstream");
    var set = Fixtures.attach(
        problems,
        gateway("shop/web", listener("http")),
        backend("other/upstream"),
        grant("other", GATEWAY_API, "HTTPRoute", "elsewhere", "Backend", null),
        grant("other", GATEWAY_API, "HTTPRoute", "shop", "Backend", "another"),
        grant("third", GATEWAY_API, "HTTPRoute", "shop", "Backend", null),
        route("shop/r", rule("all", reference)));

    assertThat(problems.errors()).isOne();
    assertThat(texts(problems).getFirst())
        .contains(
            "spec.rules[0].backendRefs[0].namespace: HTTPRoute shop/r may not refer to Backend other/upstream in another namespace: a ReferenceGrant in namespace \"other\" must allow it");
    assertThat(set.backend(reference)).isNull();
  }

  @Test
  void a_reference_grant_opens_one_namespace_to_another() {
    var reference = ref(BACKENDS, "Backend", "other/upstream");
    var set = sound(
        gateway("shop/web", listener("http")),
        backend("other/upstream"),
        grant("other", GATEWAY_API, "HTTPRoute", "shop", "Backend", "upstream"),
        route("shop/r", rule("all", reference)));

    assertThat(set.backend(reference)).isNotNull();
  }

  @Test
  void certificates_and_key_sets_of_other_namespaces_need_a_grant_too() {
    var certificate = ref("", "Secret", "other/tls");
    var keys = ref("", "ConfigMap", "other/keys");
    var set = Fixtures.attach(
        problems,
        new Gateway(
            meta(GATEWAY_API + "/v1", "Gateway", "shop/web"),
            List.of(new Gateway.Listener(
                "https",
                443,
                "HTTPS",
                null,
                List.of(certificate),
                new AllowedRoutes(From.SAME, Map.of()),
                Fixtures.HERE))),
        new Secret(meta("v1", "Secret", "other/tls"), "kubernetes.io/tls", Map.of()),
        new ConfigMap(meta("v1", "ConfigMap", "other/keys"), Map.of()),
        Fixtures.jwt("shop/p", targets(), new RefJwks(keys)));

    assertThat(problems.errors()).isEqualTo(2);
    assertThat(set.secret(certificate)).isNull();
    assertThat(set.configMap(keys)).isNull();
    assertThat(set.secret(ref("", "ConfigMap", "other/tls"))).isNull();
  }

  private static List<String> listeners(Gateway gateway, List<HttpRoute.ParentRef> parents) {
    return Fixtures.attach(
            new Problems(),
            gateway,
            route("shop/orders", parents, List.of(), rule("all", prefix("/"))))
        .rules()
        .stream()
        .map(rule -> rule.listener().listener())
        .toList();
  }

  private static List<String> keys(HttpRoute route) {
    return sound(gateway("shop/web", listener("http")), route).rules().stream()
        .map(rule -> rule.route().rule())
        .toList();
  }

  private static AllowedRoutes selector(String label, String value) {
    return new AllowedRoutes(From.SELECTOR, Map.of(label, value));
  }

  private static ReferenceGrant grant(
      String namespace, String group, String kind, String from, String to, @Nullable String name) {
    return new ReferenceGrant(
        meta(GATEWAY_API + "/v1beta1", "ReferenceGrant", namespace + "/g" + from + name),
        List.of(new ReferenceGrant.From(group, kind, from)),
        List.of(new ReferenceGrant.To(BACKENDS, to, name)));
  }
}
