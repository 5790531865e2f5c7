package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.ratelimit.Shop;
import dev.gatehouse.ratelimit.descriptor.Action.GenericKey;
import dev.gatehouse.ratelimit.descriptor.Action.HeaderValueMatch;
import dev.gatehouse.ratelimit.descriptor.Action.RemoteAddressMatch;
import dev.gatehouse.ratelimit.descriptor.Action.RequestHeader;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Compares with what Envoy Gateway 1.9 generates for the same policies; its samples are in the folder that {@code gatehouse.data} names. */
final class EnvoyGatewaySamplesTest {
  /** The samples' names of what is {@link Shop}'s listener and policy here. */
  private static final String LISTENER = "first-listener";

  private static final String POLICY = "test-namespace/test-policy-1";

  /**
   * @param file of the sample, without its ending
   * @param route the sample's name of the route
   * @param rules the policy that the sample was made of
   */
  record Sample(String file, String route, List<String> rules) {
    @Override
    public String toString() {
      return file + ", " + route;
    }
  }

  static List<Sample> samples() {
    return List.of(
        new Sample(
            "distinct-match",
            "first-route",
            List.of(
                "{clientSelectors: [{headers: [{name: x-user-id, type: Distinct}]}], limit: {requests: 5, unit: Second}}")),
        new Sample(
            "global-shadow-mode",
            "first-route",
            List.of(
                "{clientSelectors: [{headers: [{name: x-user-id, value: one}, {name: x-user-id, value: two}, {name: x-org-id, value: three}], sourceCIDR: {value: 0.0.0.0/0}}], limit: {requests: 5, unit: Second}, shadowMode: true}")),
        new Sample(
            "masked-remote-address-match",
            "first-route",
            List.of(
                "{clientSelectors: [{sourceCIDR: {value: 192.168.0.0/16}}], limit: {requests: 5, unit: Second}}")),
        new Sample(
            "method-match",
            "first-route",
            List.of(
                "{clientSelectors: [{methods: [{value: GET}, {value: PUT}]}], limit: {requests: 5, unit: Second}}",
                "{clientSelectors: [{methods: [{value: POST}]}], limit: {requests: 50, unit: Second}}")),
        new Sample(
            "month-year-rule",
            "first-route",
            List.of(
                "{clientSelectors: [{headers: [{name: x-user-id, value: one}]}], limit: {requests: 5, unit: Month}}")),
        new Sample(
            "month-year-rule",
            "second-route",
            List.of(
                "{clientSelectors: [{headers: [{name: x-user-id, value: two}]}], limit: {requests: 1, unit: Year}}")),
        new Sample(
            "multiple-shared-and-unshared",
            "first-route",
            Stream.of("one}]}], shared: true", "two}]}]", "three}]}], shared: true", "four}]}]")
                .map(rest -> "{clientSelectors: [{headers: [{name: x-user-id, value: " + rest
                    + ", limit: {requests: 5, unit: Second}}")
                .toList()));
  }

  @ParameterizedTest
  @MethodSource("samples")
  void the_actions_are_envoy_gateways(Sample sample) throws IOException {
    var expected = documents(sample.file + ".routes.yaml").stream()
        .filter(routes -> routes.path("routeName").stringValue().equals(sample.route))
        .findFirst()
        .orElseThrow()
        .path("rateLimitsByDomain");
    var rule = policy(sample).policies().rules().getFirst();
    var lists = Actions.of(rule, 0, "shop.example").stream()
        .collect(Collectors.groupingBy(
            limit -> renamed(limit.domain(), sample),
            Collectors.mapping(
                limit -> Map.of(
                    "actions",
                    limit.actions().stream()
                        .map(action -> rendered(action, sample))
                        .toList()),
                Collectors.toList())));
    assertThat(new ObjectMapper().<JsonNode>valueToTree(lists)).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("samples")
  void the_tree_has_envoy_gateways_limits(Sample sample) throws IOException {
    var problems = new Problems();
    var tree = new LimitTreeCompiler().compile(policy(sample).policies(), null, problems);
    assertThat(problems.all()).isEmpty();
    int leaves = 0;
    for (var domain : documents(sample.file + ".yaml")) {
      for (var route : domain.path("descriptors")) {
        var name = route.path("key").stringValue();
        if (name.equals(sample.route) || name.startsWith(POLICY)) {
          leaves += compare(
              ours(domain.path("domain").stringValue(), sample), route, List.of(), tree, sample);
        }
      }
    }
    assertThat(leaves).isEqualTo(sample.rules.size());
  }

  /** A name of ours as the sample has it. */
  private static String renamed(String name, Sample sample) {
    return name.replace(Shop.ROUTE, sample.route)
        .replace("shop/limits", POLICY)
        .replace(Shop.DOMAIN, LISTENER);
  }

  private static String ours(String name, Sample sample) {
    return name.replace(sample.route, Shop.ROUTE)
        .replace(POLICY, "shop/limits")
        .replace(LISTENER, Shop.DOMAIN);
  }

  /** Looks up every limit of the sample, and returns how many they are. */
  private static int compare(
      String domain,
      JsonNode descriptor,
      List<RateLimitDescriptor.Entry> above,
      LimitTree tree,
      Sample sample) {
    var entries = new ArrayList<>(above);
    entries.add(entry(
        ours(descriptor.path("key").stringValue(), sample),
        ours(descriptor.path("value").stringValue(), sample)));
    var limit = descriptor.path("rate_limit");
    int leaves = 0;
    if (limit.isObject()) {
      assertThat(tree.match(domain, descriptor(entries)))
          .isInstanceOfSatisfying(Match.Limited.class, found -> {
            assertThat(found.limit().requests())
                .isEqualTo(limit.path("requests_per_unit").longValue());
            assertThat(found.limit().window().unit().name())
                .isEqualTo(limit.path("unit").stringValue());
            assertThat(found.limit().shadow())
                .isEqualTo(descriptor.path("shadow_mode").booleanValue());
          });
      leaves++;
    } else {
      assertThat(tree.match(domain, descriptor(entries))).isEqualTo(Match.Unlimited.UNLIMITED);
    }
    for (var child : descriptor.path("descriptors")) {
      leaves += compare(domain, child, entries, tree, sample);
    }
    return leaves;
  }

  private static RateLimitDescriptor.Entry entry(String key, String value) {
    return RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value).build();
  }

  private static Load policy(Sample sample) {
    var load = Shop.with(sample.rules.toArray(String[]::new));
    assertThat(load.problems().hasErrors()).as("%s", load.problems().all()).isFalse();
    return load;
  }

  private static List<JsonNode> documents(String name) throws IOException {
    var data = System.getProperty("gatehouse.data");
    if (data == null) {
      assertThat(System.getenv("CI"))
          .as("in CI -Dgatehouse.data must name the data folder")
          .isNotEqualTo("true");
    }
    assumeTrue(
        data != null,
        "run with -Dgatehouse.data=FOLDER, which has envoy-gateway/ratelimit-config in it");
    var file = Path.of(data, "envoy-gateway", "ratelimit-config", name);
    var mapper = new YAMLMapper();
    var documents = new ArrayList<JsonNode>();
    for (var text : Files.readString(file).split("(?m)^---$")) {
      documents.add(mapper.readTree(text));
    }
    return documents;
  }

  /** An action as the sample shows it: Go's names of the fields. */
  private static Map<String, Object> rendered(Action action, Sample sample) {
    return Map.of(
        "ActionSpecifier",
        switch (action) {
          case GenericKey(var key, var value) ->
            Map.of(
                "GenericKey",
                Map.of(
                    "descriptor_key", renamed(key, sample),
                    "descriptor_value", renamed(value, sample)));
          case RequestHeader(var key, var header) ->
            Map.of("RequestHeaders", Map.of("descriptor_key", key, "header_name", header));
          case HeaderValueMatch(var key, var value, var header, var match, var expect) ->
            Map.of(
                "HeaderValueMatch",
                Map.of(
                    "descriptor_key",
                    key,
                    "descriptor_value",
                    value,
                    "expect_match",
                    Map.of("value", expect),
                    "headers",
                    List.of(Map.of(
                        "HeaderMatchSpecifier",
                        Map.of(
                            "StringMatch", Map.of("MatchPattern", Map.of("Exact", match.value()))),
                        "name",
                        header))));
          case RemoteAddressMatch(var key, var value, var cidr, var inverted) -> {
            assertThat(inverted).isFalse();
            var parts = cidr.split("/");
            int length = Integer.parseInt(parts[1]);
            yield Map.of(
                "RemoteAddressMatch",
                Map.of(
                    "address_matcher",
                    Map.of(
                        "ranges",
                        List.of(Map.of(
                            "address_prefix",
                            parts[0],
                            "prefix_len",
                            length == 0 ? Map.of() : Map.of("value", length)))),
                    "descriptor_key",
                    key,
                    "descriptor_value",
                    value));
          }
          default -> throw new AssertionError("no sample has " + action);
        });
  }

  private static RateLimitDescriptor descriptor(List<RateLimitDescriptor.Entry> entries) {
    return RateLimitDescriptor.newBuilder().addAllEntries(entries).build();
  }
}
