package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.Fixtures.sound;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Problems;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Plans by binding and by route metadata, and over generations. */
class RoutePlansTest {
  private static final Gateway WEB = gateway("shop/web", listener("http"));
  private static final Gateway TWO = gateway("shop/web", listener("a"), listener("b"));
  private static final HttpRoute ORDERS =
      route("shop/orders", rule("create", prefix("/create")), rule(null, prefix("/list")));

  @Test
  void a_binding_finds_its_plan() {
    var set = sound(WEB, ORDERS);
    var plans = RoutePlans.of(set, RoutePlansTest::byRule, null);

    assertThat(set.rules())
        .allSatisfy(rule -> assertThat(
                plans.byBinding(rule.listener().toString(), rule.route().toString()))
            .isEqualTo(new Lookup.Found<>(rule.route().toString())));
  }

  @Test
  void no_binding_is_unbound() {
    var plans = RoutePlans.of(sound(WEB, ORDERS), RoutePlansTest::byRule, null);

    assertThat(plans.byBinding(null, null)).isInstanceOf(Lookup.Unbound.class);
    assertThat(plans.byBinding("", "")).isInstanceOf(Lookup.Unbound.class);
  }

  @Test
  void a_binding_that_resolves_to_nothing_is_unresolved_and_never_unbound() {
    var plans = RoutePlans.of(sound(WEB, ORDERS), RoutePlansTest::byRule, null);

    assertThat(plans.byBinding("shop/web/http", "HTTPRoute/shop/orders/gone"))
        .isEqualTo(new Lookup.Unresolved<>(
            "no policies for route HTTPRoute/shop/orders/gone of listener shop/web/http"));
    assertThat(plans.byBinding("shop/web/https", "HTTPRoute/shop/orders/create"))
        .isInstanceOf(Lookup.Unresolved.class);
    assertThat(plans.byBinding("shop/web/http", null)).isInstanceOf(Lookup.Unresolved.class);
    assertThat(plans.byBinding("", "HTTPRoute/shop/orders/create"))
        .isInstanceOf(Lookup.Unresolved.class);
  }

  @Test
  void a_binding_of_the_generation_before_is_still_known_and_of_the_one_before_that_is_not() {
    var first = RoutePlans.of(sound(WEB, route("shop/old", rule("r", prefix("/")))), r -> 1, null);
    var second =
        RoutePlans.of(sound(WEB, route("shop/new", rule("r", prefix("/")))), r -> 2, first);
    var third =
        RoutePlans.of(sound(WEB, route("shop/new", rule("r", prefix("/")))), r -> 3, second);

    assertThat(second.byBinding("shop/web/http", "HTTPRoute/shop/old/r"))
        .isEqualTo(new Lookup.Found<>(1));
    assertThat(second.byRouteMetadata("HTTPRoute", "shop", "old", "r"))
        .isEqualTo(new Lookup.Found<>(1));
    assertThat(second.byBinding("shop/web/http", "HTTPRoute/shop/new/r"))
        .isEqualTo(new Lookup.Found<>(2));
    assertThat(third.byBinding("shop/web/http", "HTTPRoute/shop/new/r"))
        .isEqualTo(new Lookup.Found<>(3));
    assertThat(third.byBinding("shop/web/http", "HTTPRoute/shop/old/r"))
        .isInstanceOf(Lookup.Unresolved.class);
  }

  @Test
  void route_metadata_finds_a_rule_by_its_name() {
    var plans = RoutePlans.of(sound(WEB, ORDERS), RoutePlansTest::byRule, null);

    assertThat(plans.byRouteMetadata("HTTPRoute", "shop", "orders", "create"))
        .isEqualTo(new Lookup.Found<>("HTTPRoute/shop/orders/create"));
    assertThat(plans.byRouteMetadata("HTTPRoute", "shop", "orders", "gone"))
        .isEqualTo(new Lookup.Unresolved<>("no policies for route HTTPRoute/shop/orders/gone"));
    assertThat(plans.byRouteMetadata("HTTPRoute", "shop", "gone", null))
        .isInstanceOf(Lookup.Unresolved.class);
  }

  @Test
  void route_metadata_without_a_rule_finds_the_route_if_all_its_rules_have_one_plan() {
    assertThat(metadata(sound(WEB, ORDERS), RoutePlansTest::byRule, null))
        .isInstanceOf(Lookup.Unresolved.class);
    assertThat(metadata(sound(WEB, ORDERS), RoutePlansTest::byListener, null))
        .isEqualTo(new Lookup.Found<>("shop/web/http"));
    assertThat(metadata(sound(WEB, ORDERS), RoutePlansTest::byListener, ""))
        .isEqualTo(new Lookup.Found<>("shop/web/http"));
  }

  @Test
  void plans_that_are_equal_under_all_listeners_are_no_ambiguity() {
    assertThat(metadata(sound(TWO, ORDERS), RoutePlansTest::byRule, "create"))
        .isEqualTo(new Lookup.Found<>("HTTPRoute/shop/orders/create"));
  }

  @Test
  void plans_that_differ_between_gateways_are_unresolved_and_an_error_where_metadata_is_used() {
    var both = List.of(parent("shop/web"), parent("shop/net"));
    var plans = RoutePlans.of(
        sound(
            WEB,
            gateway("shop/net", listener("http")),
            route("shop/orders", both, List.of(), rule("create", prefix("/")))),
        RoutePlansTest::byListener,
        null);
    var problems = new Problems();
    plans.reportAmbiguous(problems);

    assertThat(plans.byRouteMetadata("HTTPRoute", "shop", "orders", "create"))
        .isEqualTo(
            new Lookup.Unresolved<>(
                "route HTTPRoute/shop/orders/create is ambiguous: its plans differ between listeners (shop/web/http, shop/net/http)"));
    assertThat(Fixtures.texts(problems))
        .containsExactly(
            "shop.yaml:3:5: spec.rules[0]: route HTTPRoute/shop/orders/create is ambiguous: its plans differ between listeners (shop/web/http, shop/net/http)");
  }

  @Test
  void rules_whose_plans_agree_are_not_reported() {
    var problems = new Problems();
    RoutePlans.of(sound(TWO, ORDERS), RoutePlansTest::byRule, null).reportAmbiguous(problems);

    assertThat(problems.all()).isEmpty();
  }

  @Test
  void a_lookup_that_finds_allocates_nothing() {
    var plans = RoutePlans.of(sound(WEB, ORDERS), RoutePlansTest::byListener, null);
    var request = Asked.get("/list/of/orders?page=1");

    assertThat(allocated(() -> plans.byBinding("shop/web/http", "HTTPRoute/shop/orders/create")))
        .isZero();
    assertThat(allocated(() -> plans.byRouteMetadata("HTTPRoute", "shop", "orders", "create")))
        .isZero();
    assertThat(allocated(() -> plans.byMatch(request))).isZero();
  }

  /** Bytes a look-up, rounded down, after a first round that loads what it needs. */
  private static long allocated(Supplier<Lookup<String>> lookup) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = 0;
    for (int round = 0; round < 3; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1000; i++) {
        assertFound(lookup.get());
      }
      bytes = threads.getCurrentThreadAllocatedBytes() - before;
    }
    return bytes / 1000;
  }

  private static void assertFound(Lookup<String> lookup) {
    if (!(lookup instanceof Lookup.Found)) {
      throw new AssertionError(lookup);
    }
  }

  private static Lookup<String> metadata(
      PolicySet set, Function<AttachedRule, String> compile, @Nullable String section) {
    return RoutePlans.of(set, compile, null)
        .byRouteMetadata("HTTPRoute", "shop", "orders", section);
  }

  private static String byRule(AttachedRule rule) {
    return rule.route().toString();
  }

  private static String byListener(AttachedRule rule) {
    return rule.listener().toString();
  }
}
