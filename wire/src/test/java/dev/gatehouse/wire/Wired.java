package dev.gatehouse.wire;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.wire.WireSettings.Address;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A configuration made of policies, as tests look at it. */
record Wired(JsonNode tree, List<Problem> problems) {
  static final WireSettings SETTINGS = settings(null);

  static final String GATEWAY = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners: [{name: http, port: 8080, protocol: HTTP}]
      """;

  static final String BACKEND = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: Backend
      metadata: {name: up, namespace: shop}
      spec: {endpoints: [{ip: {address: 10.0.0.1, port: 3000}}]}
      """;

  /** The backendRefs of a rule. */
  static final String TO_UP =
      "backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: up}]";

  private static final YAMLMapper YAML = YAMLMapper.shared();

  static WireSettings settings(@Nullable String watchedFolder) {
    return new WireSettings(
        Address.parse("127.0.0.1:9001"),
        Address.parse("127.0.0.1:9002"),
        Address.parse("services.example:9003"),
        Address.parse("127.0.0.1:9901"),
        "0.0.0.0",
        Map.of(),
        Map.of(),
        watchedFolder);
  }

  /** Of a Gateway with one plain listener, a Backend and the documents. */
  static Wired shop(String... documents) {
    return of(
        SETTINGS,
        Stream.concat(Stream.of(GATEWAY, BACKEND), Stream.of(documents)).toArray(String[]::new));
  }

  /** Of the documents and nothing else, in one static file. */
  static Wired of(WireSettings settings, String... documents) {
    var load = Load.text("policies.yaml", String.join("---\n", documents));
    var config = EnvoyConfig.of(load.policies(), settings, load.problems());
    return new Wired(
        YAML.readTree(config.files().getOrDefault("envoy.yaml", "")),
        load.problems().all());
  }

  /** An HTTPRoute {@code shop/r} on that Gateway; {@code spec} is the rest of its spec, as flow or block YAML without indentation. */
  static String route(String spec) {
    return """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r, namespace: shop}
        spec:
          parentRefs: [{name: web}]
        """ + spec.indent(2);
  }

  /** An HTTPRoute with one rule for the prefix {@code /a}. */
  static String rule(String rest) {
    return route(
        "rules:\n- name: a\n  matches: [{path: {type: PathPrefix, value: /a}}]\n" + rest.indent(2));
  }

  List<String> errors() {
    return of(Problem.Severity.ERROR);
  }

  List<String> warnings() {
    return of(Problem.Severity.WARNING);
  }

  Stream<JsonNode> listeners() {
    return each(tree.at("/static_resources/listeners"));
  }

  Stream<JsonNode> clusters() {
    return each(tree.at("/static_resources/clusters"));
  }

  JsonNode cluster(String name) {
    return named(clusters(), name);
  }

  /** The connection managers of all filter chains. */
  Stream<JsonNode> managers() {
    return listeners()
        .flatMap(l -> each(l.get("filter_chains")))
        .map(c -> c.at("/filters/0/typed_config"));
  }

  JsonNode manager() {
    return managers().findFirst().orElseThrow();
  }

  JsonNode httpFilter(String name) {
    return named(each(manager().get("http_filters")), name);
  }

  Stream<JsonNode> hosts() {
    return managers().flatMap(m -> each(m.at("/route_config/virtual_hosts")));
  }

  /** The routes of the virtual host of a hostname that come from policies. */
  List<JsonNode> routes(String hostname) {
    return hosts()
        .filter(h -> h.at("/domains/0").asString().equals(hostname))
        .flatMap(h -> each(h.get("routes")))
        .filter(r -> !r.get("name").asString().startsWith("gatehouse/"))
        .toList();
  }

  List<String> routeNames(String hostname) {
    return routes(hostname).stream().map(r -> r.get("name").asString()).toList();
  }

  /** The only route that comes from policies, but for preflights. */
  JsonNode onlyRoute() {
    var all = routes("*").stream()
        .filter(r -> !r.get("name").asString().endsWith("/preflight"))
        .toList();
    if (all.size() != 1) {
      throw new AssertionError("one route expected: " + routeNames("*"));
    }
    return all.getFirst();
  }

  /** What a route says to a filter. */
  static JsonNode toFilter(JsonNode route, String filter) {
    return route.path("typed_per_filter_config").path("envoy.filters.http." + filter);
  }

  static Stream<JsonNode> each(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  static JsonNode json(String flow) {
    return YAML.readTree(flow);
  }

  private List<String> of(Problem.Severity severity) {
    return problems.stream()
        .filter(p -> p.severity() == severity)
        .map(Problem::toString)
        .toList();
  }

  private static JsonNode named(Stream<JsonNode> all, String name) {
    return all.filter(n -> n.get("name").asString().equals(name))
        .findFirst()
        .orElse(MissingNode.getInstance());
  }
}
