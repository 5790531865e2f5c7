package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.attach;
import static dev.gatehouse.policy.attach.Fixtures.attachmentOnly;
import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.jwt;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.meta;
import static dev.gatehouse.policy.attach.Fixtures.name;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.rateLimit;
import static dev.gatehouse.policy.attach.Fixtures.rejected;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.Fixtures.security;
import static dev.gatehouse.policy.attach.Fixtures.sound;
import static dev.gatehouse.policy.attach.Fixtures.target;
import static dev.gatehouse.policy.attach.Fixtures.targets;
import static dev.gatehouse.policy.attach.Fixtures.texts;
import static dev.gatehouse.policy.attach.Fixtures.traffic;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimToHeader;
import dev.gatehouse.policy.resource.Targets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Policies on route rules. */
class PolicyAttachmentTest {
  private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant NEW = Instant.parse("2026-02-01T00:00:00Z");
  private static final Gateway WEB = gateway("shop/web", listener("http"), listener("alt"));
  private static final HttpRoute ORDERS =
      route("shop/orders", rule("create", prefix("/create")), rule("list", prefix("/list")));

  private final Problems problems = new Problems();

  @Test
  void a_route_without_a_policy_is_open() {
    var set = sound(WEB, ORDERS);

    assertThat(set.rules()).allSatisfy(rule -> {
      assertThat(name(rule.security())).isEqualTo("none");
      assertThat(name(rule.traffic())).isEqualTo("none");
      assertThat(name(rule.transform())).isEqualTo("none");
      assertThat(rule.guarded()).isFalse();
    });
  }

  @Test
  void of_the_policies_that_mean_a_rule_each_is_told_with_why_it_holds_or_not() {
    var set = attach(
        problems,
        WEB,
        ORDERS,
        security("shop/gateway", OLD, targets(target("Gateway", "web", null))),
        security("shop/young", NEW, targets(target("HTTPRoute", "orders", null))),
        security("shop/old", OLD, targets(target("HTTPRoute", "orders", null))));

    var list = set.rules().stream()
        .filter(rule -> rule.route().rule().equals("list"))
        .findFirst()
        .orElseThrow();

    assertThat(set.securityCandidates(list))
        .extracting(
            c -> c.policy().name() + (c.holds() ? " holds: " : " does not hold: ") + c.why())
        .containsExactly(
            "old holds: the most specific target, and of those on it older",
            "young does not hold: on the same target, where SecurityPolicy shop/old goes before it, being older",
            "gateway does not hold: targets the whole Gateway shop/web, which is less specific than HTTPRoute shop/orders");
    assertThat(set.trafficCandidates(list)).isEmpty();
    assertThat(list.security())
        .isInstanceOfSatisfying(
            Attachment.Of.class, of -> assertThat(of.policy().meta().id()).isEqualTo("shop/old"));
  }

  @Test
  void the_most_specific_policy_wins_whatever_their_age() {
    assertThat(security(sound(
            WEB,
            ORDERS,
            security("shop/gateway", OLD, targets(target("Gateway", "web", null))),
            security("shop/listener", NEW, targets(target("Gateway", "web", "alt"))))))
        .containsExactly(
            "http create: gateway",
            "http list: gateway",
            "alt create: listener",
            "alt list: listener");
    assertThat(security(sound(
            WEB,
            ORDERS,
            security("shop/listener", OLD, targets(target("Gateway", "web", "alt"))),
            security("shop/route", NEW, targets(target("HTTPRoute", "orders", null))))))
        .containsExactly(
            "http create: route", "http list: route", "alt create: route", "alt list: route");
    assertThat(security(sound(
            WEB,
            ORDERS,
            security("shop/route", OLD, targets(target("HTTPRoute", "orders", null))),
            security("shop/rule", NEW, targets(target("HTTPRoute", "orders", "create"))))))
        .containsExactly(
            "http create: rule", "http list: route", "alt create: rule", "alt list: route");
  }

  @Test
  void kinds_do_not_compete_with_each_other() {
    var set = sound(
        WEB,
        ORDERS,
        security("shop/who", targets(target("Gateway", "web", null))),
        traffic("shop/how-often", targets(target("HTTPRoute", "orders", null))));

    assertThat(set.rules()).allSatisfy(rule -> {
      assertThat(name(rule.security())).isEqualTo("who");
      assertThat(name(rule.traffic())).isEqualTo("how-often");
    });
  }

  @Test
  void of_two_policies_on_one_target_the_older_holds_and_a_warning_names_the_other() {
    var set = attach(
        problems,
        WEB,
        ORDERS,
        security("shop/a-new", NEW, targets(target("HTTPRoute", "orders", null))),
        security("shop/b-undated", null, targets(target("HTTPRoute", "orders", null))),
        security("shop/c-old", OLD, targets(target("HTTPRoute", "orders", null))));

    assertThat(security(set)).allMatch(text -> text.endsWith(": c-old"));
    assertThat(texts(problems))
        .containsExactly(
            "shop/a-new.yaml:1:1: warning: spec.targetRefs: two policies on one target: SecurityPolicy shop/a-new does not hold on HTTPRoute shop/orders, SecurityPolicy shop/c-old (shop/c-old.yaml:1:1) does, being older; remove one, or target something narrower",
            "shop/b-undated.yaml:1:1: warning: spec.targetRefs: two policies on one target: SecurityPolicy shop/b-undated does not hold on HTTPRoute shop/orders, SecurityPolicy shop/c-old (shop/c-old.yaml:1:1) does, being older; remove one, or target something narrower");
  }

  @Test
  void of_two_policies_of_one_age_the_first_by_name_holds() {
    var set = attach(
        problems,
        WEB,
        ORDERS,
        security("shop/b", targets(target("HTTPRoute", "orders", null))),
        security("shop/a", targets(target("HTTPRoute", "orders", null))));

    assertThat(security(set)).allMatch(text -> text.endsWith(": a"));
    assertThat(texts(problems)).singleElement().asString().contains("being first by name");
  }

  @Test
  void selectors_find_targets_by_their_labels_in_the_policys_own_namespace() {
    var labels = Map.of("team", "shop", "tier", "one");
    var set = sound(
        gateway("shop/web", listener("http")),
        route(
            meta(Fixtures.GATEWAY_API + "/v1", "HTTPRoute", "shop/mine", null, labels),
            List.of(parent("shop/web")),
            List.of(),
            rule("mine", prefix("/mine"))),
        route(
            meta(
                Fixtures.GATEWAY_API + "/v1",
                "HTTPRoute",
                "shop/other",
                null,
                Map.of("team", "other")),
            List.of(parent("shop/web")),
            List.of(),
            rule("other", prefix("/other"))),
        security("shop/p", selecting(Map.of("team", "shop"))));

    assertThat(security(set)).containsExactly("http mine: p", "http other: none");
  }

  @Test
  void a_policy_holds_in_its_own_namespace_only() {
    var set = attach(
        problems,
        WEB,
        ORDERS,
        security("other/p", targets(target("HTTPRoute", "orders", null))),
        security("other/q", selecting(Map.of())));

    assertThat(security(set)).allMatch(text -> text.endsWith(": none"));
    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.targetRefs[0].name: no HTTPRoute \"other/orders\": a policy holds in its own namespace only, and there is none in \"other\" (elsewhere: shop/orders)",
            "shop.yaml:3:5: warning: spec.targetSelectors[0].matchLabels: no HTTPRoute in namespace \"other\" bears the labels {}");
  }

  @Test
  void a_target_that_is_not_there_is_a_warning_with_those_that_are() {
    attach(
        problems,
        WEB,
        ORDERS,
        route("shop/public", rule("all", prefix("/public"))),
        security(
            "shop/p",
            targets(
                target("HTTPRoute", "order", null),
                target("HTTPRoute", "orders", "creat"),
                target("Gateway", "web", "https"),
                target("Gateway", "net", null),
                target("TLSRoute", "orders", null),
                target("GRPCRoute", "orders", null))));

    assertThat(texts(problems))
        .containsExactly(
            "shop.yaml:3:5: warning: spec.targetRefs[0].name: no HTTPRoute \"shop/order\" (did you mean \"shop/orders\"? there are: shop/orders, shop/public)",
            "shop.yaml:3:5: warning: spec.targetRefs[1].sectionName: HTTPRoute \"shop/orders\" has no rule named \"creat\" (did you mean \"create\"? there are: create, list)",
            "shop.yaml:3:5: warning: spec.targetRefs[2].sectionName: Gateway \"shop/web\" has no listener \"https\" (did you mean \"http\"? there are: alt, http)",
            "shop.yaml:3:5: warning: spec.targetRefs[3].name: no Gateway \"shop/net\" (did you mean \"shop/web\"? there are: shop/web)",
            "shop.yaml:3:5: warning: spec.targetRefs[4].kind: policies hold for nothing of kind TLSRoute in group \"gateway.networking.k8s.io\" here (expected Gateway, HTTPRoute or GRPCRoute in gateway.networking.k8s.io)",
            "shop.yaml:3:5: warning: spec.targetRefs[5].name: no GRPCRoute \"shop/orders\" (there is none)");
  }

  @Test
  void an_empty_policy_on_a_route_opts_it_out() {
    var set = sound(
        WEB,
        ORDERS,
        jwt("shop/all", targets(target("Gateway", "web", null))),
        security("shop/open", targets(target("HTTPRoute", "orders", "list"))));

    assertThat(set.rules())
        .extracting(rule -> rule.route().rule() + " " + rule.guarded())
        .containsExactly("create true", "list false", "create true", "list false");
  }

  @Test
  void a_policy_that_is_only_an_attachment_is_neither_policy_nor_opt_out() {
    var set = sound(
        WEB,
        ORDERS,
        jwt("shop/all", targets(target("Gateway", "web", null))),
        attachmentOnly("shop/us", targets(target("HTTPRoute", "orders", null))));

    assertThat(security(set)).allMatch(text -> text.endsWith(": all"));
  }

  @Test
  void a_rejected_policy_keeps_its_place_and_its_targets_are_refused() {
    var set = sound(
        WEB,
        ORDERS,
        security("shop/all", targets(target("Gateway", "web", null))),
        rejected(
            "SecurityPolicy", "shop/bad", null, targets(target("HTTPRoute", "orders", "create"))),
        rejected(
            "BackendTrafficPolicy", "shop/worse", null, targets(target("Gateway", "web", "alt"))));

    assertThat(security(set))
        .containsExactly(
            "http create: rejected shop/bad",
            "http list: all",
            "alt create: rejected shop/bad",
            "alt list: all");
    assertThat(set.rules())
        .extracting(rule -> rule.listener().listener() + " " + name(rule.traffic()))
        .containsExactly(
            "http none", "http none", "alt rejected shop/worse", "alt rejected shop/worse");
    assertThat(set.rules().getFirst().guarded()).isTrue();
  }

  @Test
  void of_backend_traffic_and_rate_limit_policies_the_most_specific_of_either_kind_holds() {
    var set = sound(
        WEB,
        ORDERS,
        traffic("shop/theirs", targets(target("HTTPRoute", "orders", "create"))),
        rateLimit("shop/ours", targets(target("HTTPRoute", "orders", null))),
        traffic("shop/base", targets(target("Gateway", "web", null))),
        rejected("RateLimitPolicy", "shop/bad", null, targets(target("Gateway", "web", "alt"))));

    assertThat(set.rules())
        .extracting(rule -> rule.rule().name() + " " + name(rule.traffic()))
        .containsExactly("create theirs", "list ours", "create theirs", "list ours");
    assertThat(set.trafficCandidates(set.rules().get(3)))
        .extracting(candidate -> candidate.policy().title())
        .containsExactly(
            "RateLimitPolicy shop/ours",
            "RateLimitPolicy shop/bad",
            "BackendTrafficPolicy shop/base");
  }

  @Test
  void a_more_specific_policy_holds_in_spite_of_a_rejected_one() {
    var set = sound(
        WEB,
        ORDERS,
        rejected("SecurityPolicy", "shop/bad", null, targets(target("Gateway", "web", null))),
        security("shop/good", targets(target("HTTPRoute", "orders", null))));

    assertThat(security(set)).allMatch(text -> text.endsWith(": good"));
  }

  @Test
  void a_policy_whose_targets_could_not_be_read_counts_against_every_route() {
    var set = sound(
        WEB,
        ORDERS,
        rejected("SecurityPolicy", "shop/bad", null, Targets.ofEverything()),
        security("shop/good", targets(target("HTTPRoute", "orders", "create"))));

    assertThat(security(set)).allMatch(text -> text.endsWith(": rejected shop/bad"));
    assertThat(set.rules()).allMatch(rule -> name(rule.traffic()).equals("none"));
  }

  @Test
  void while_a_file_cannot_be_read_every_policy_of_every_route_is_rejected_by_its_name() {
    var set = PolicySet.attach(
        List.of(WEB, ORDERS, security("shop/p", targets(target("HTTPRoute", "orders", null)))),
        List.of("policies/broken.yaml"),
        problems);

    assertThat(set.rules()).allSatisfy(rule -> {
      assertThat(name(rule.security())).isEqualTo("rejected policies/broken.yaml");
      assertThat(name(rule.traffic())).isEqualTo("rejected policies/broken.yaml");
      assertThat(name(rule.transform())).isEqualTo("rejected policies/broken.yaml");
    });
  }

  @Test
  void a_gateway_owns_the_headers_of_every_policy_on_it_and_on_its_routes() {
    var other = gateway("shop/other", listener("http"));
    var set = attach(
        problems,
        WEB,
        other,
        ORDERS,
        route("shop/else", List.of(parent("shop/other")), List.of(), rule("all", prefix("/"))),
        jwt("shop/a", targets(target("Gateway", "web", null)), header("X-User")),
        jwt("shop/b", targets(target("HTTPRoute", "orders", "list")), header("x-scope")),
        jwt("shop/c", targets(target("HTTPRoute", "orders", "list")), header("x-loser")),
        jwt("shop/d", targets(target("HTTPRoute", "else", null)), header("x-else")));

    assertThat(set.ownedHeaders(WEB)).containsExactly("x-loser", "x-scope", "x-user");
    assertThat(set.ownedHeaders(other)).containsExactly("x-else");
  }

  @Test
  void all_policies_are_there_also_those_that_hold_nowhere() {
    var set = attach(problems, WEB, security("shop/p", targets(target("HTTPRoute", "none", null))));

    assertThat(set.policies())
        .extracting(Policy::meta)
        .extracting(m -> m.name())
        .containsExactly("p");
    assertThat(set.gateways()).containsExactly(WEB);
  }

  private static Targets selecting(Map<String, String> labels) {
    return new Targets(
        List.of(),
        List.of(new Targets.Selector(Fixtures.GATEWAY_API, "HTTPRoute", labels, Fixtures.HERE)));
  }

  private static ClaimToHeader header(String name) {
    return new SecurityPolicy.ClaimToHeader("sub", name);
  }
}
