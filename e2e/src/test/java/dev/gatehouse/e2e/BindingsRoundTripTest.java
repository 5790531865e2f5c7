package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Lookup;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.ratelimit.descriptor.Match;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import dev.gatehouse.wire.WireSettings.Address;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Every name that {@code wire} writes is found by the service that reads it, and leads to the rule that the route was made of. */
class BindingsRoundTripTest {
  private static final Path POLICIES = Path.of("src/test/resources/wire");

  static Stream<Path> policies() throws java.io.IOException {
    try (var files = Files.list(POLICIES)) {
      return files.sorted().toList().stream();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void ext_authz_and_ext_proc_find_the_rule_of_every_binding(Path file) {
    var load = Load.folders(List.of(file));
    var plans = RoutePlans.of(load.policies(), rule -> rule, null);
    var found = new int[1];
    forEachRoute(load, route -> {
      var filters = route.path("typed_per_filter_config");
      var authz = filters.at("/envoy.filters.http.ext_authz/check_settings/context_extensions");
      if (!authz.isMissingNode()) {
        assertRule(
            route,
            plans.byBinding(
                authz.path("gatehouse.dev/listener").asString(),
                authz.path("gatehouse.dev/route").asString()));
        found[0]++;
      }
      var proc = filters.at("/envoy.filters.http.ext_proc/overrides/grpc_initial_metadata");
      if (!proc.isMissingNode()) {
        assertRule(
            route,
            plans.byBinding(
                valueOf(proc, "x-gatehouse-listener"), valueOf(proc, "x-gatehouse-route")));
        found[0]++;
      }
    });
    var bound = load.policies().rules().stream().anyMatch(AttachedRule::guarded);
    assertThat(found[0] > 0).as("bindings in " + file).isEqualTo(bound);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void ratelimit_knows_every_descriptor_that_envoy_can_make(Path file) {
    var load = Load.folders(List.of(file));
    LimitTree limits = new LimitTreeCompiler().compile(load.policies(), null, new Problems());
    forEachRoute(load, route -> {
      var limited = route.at("/typed_per_filter_config/envoy.filters.http.ratelimit");
      for (var limit : limited.path("rate_limits")) {
        var entries =
            each(limit.path("actions")).map(BindingsRoundTripTest::entry).toList();
        assertThat(entries.getFirst().getKey()).isEqualTo(route.path("name").asString());
        assertThat(limits.match(
                limited.path("domain").asString(),
                RateLimitDescriptor.newBuilder().addAllEntries(entries).build()))
            .as(entries.toString())
            .isNotInstanceOf(Match.Unknown.class)
            .isNotInstanceOf(Match.Unlimited.class);
      }
    });
  }

  /** The entry that Envoy makes of an action whose condition holds. */
  private static Entry entry(JsonNode action) {
    var kind = action.propertyNames().iterator().next();
    var fields = action.path(kind);
    var key =
        kind.equals("remote_address") ? kind : fields.path("descriptor_key").asString();
    var value = fields.path("descriptor_value").asString("whatever the client sent");
    return Entry.newBuilder().setKey(key).setValue(value).build();
  }

  /** The route's name says which route and rule it was made of. */
  private static void assertRule(JsonNode route, Lookup<AttachedRule> found) {
    assertThat(found).isInstanceOf(Lookup.Found.class);
    var rule = ((Lookup.Found<AttachedRule>) found).plan();
    assertThat(route.path("name").asString())
        .startsWith(rule.route().kind().toLowerCase(Locale.ROOT) + "/"
            + rule.httpRoute().meta().id() + "/rule/" + rule.index() + "/match/");
  }

  private static String valueOf(JsonNode entries, String key) {
    return each(entries)
        .filter(entry -> entry.path("key").asString().equals(key))
        .map(entry -> entry.path("value").asString())
        .findFirst()
        .orElse("");
  }

  private static void forEachRoute(Load load, Consumer<JsonNode> check) {
    var service = new Address("127.0.0.1", 9);
    var settings = new WireSettings(
        service, service, service, service, "127.0.0.1", Map.of(), Map.of(), "/watched");
    var files = EnvoyConfig.of(load.policies(), settings, load.problems()).files();
    files.forEach((name, text) -> {
      if (name.startsWith("routes-")) {
        each(YAMLMapper.shared().readTree(text).path("resources"))
            .flatMap(table -> each(table.path("virtual_hosts")))
            .flatMap(host -> each(host.path("routes")))
            .forEach(check);
      }
    });
  }

  private static Stream<JsonNode> each(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }
}
