package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.attach.Lookup;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.attach.RoutedRequest;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import dev.gatehouse.wire.WireSettings.Address;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With {@code --match-routes} the client's own words choose its policies, so it must be the route that Envoy takes: random HTTPRoutes,
 * GRPCRoutes and requests through a real Envoy. Each rule of an HTTPRoute redirects to a host that names it; so Envoy's answer says which
 * rule it took, and which path it saw, for that is the path that a service would be told. A rule of a GRPCRoute says its name in a header.
 */
class MatchRoutesDifferentialTest {
  private static final int REQUESTS = 1_500;
  private static final String GATEWAY = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners:
        - {name: http, port: 80, protocol: HTTP}
        - {name: alt, port: 8080, protocol: HTTP, hostname: "*.example.com"}
      """;

  /** Why a host that both kinds of routes want is not resolved, and the only host of theirs here. */
  private static final String SHARED =
      "an HTTPRoute and a GRPCRoute share the host, and gateways differ in which one they take";

  private static final String SHARED_HOST = "x.org";
  private static final Pattern LOCATION =
      Pattern.compile("https?://([^/:?]+)\\.test(?::\\d+)?(.*)");
  private static final List<String> SEGMENTS = List.of("a", "b", "ab", "a.b", "A");
  private static final List<String> ODD_SEGMENTS = List.of(
      "", ".", "..", "%2e%2e", "%61", "%41", "a;b", "..;", "a%20b", "%7e", "%zz", "a\\b", "%2E",
      "a%c3%a9");
  private static final List<String> HOSTS =
      List.of("a.example.com", "*.example.com", "*.a.example.com", "b.example.com", "x.org");
  private static final List<String> ASKED_HOSTS = List.of(
      "a.example.com",
      "A.Example.com:80",
      "c.a.example.com",
      "d.example.com",
      "b.example.com",
      "x.org",
      "x.org.",
      "y.org",
      "example.com",
      "[::1]:80");
  private static final List<String> SERVICES = List.of("a.B", "a.BB", "b.C", "D");
  private static final List<String> CALLS = List.of("Get", "GetAll", "List");
  private static final List<String> METHODS = List.of("GET", "POST", "OPTIONS");
  private static final List<String> VALUES = List.of("1", "2", "1,2", "é");

  @TempDir
  Path folder;

  private final Ports ports = new Ports();
  private final int plain = ports.free();
  private final int other = ports.free();
  private final int admin = ports.free();
  private final int nobody = ports.free();

  /** What Envoy did with a request: a rule took it, or none did, or it was refused before. */
  private record Taken(
      int status, @Nullable String rule, @Nullable String path) {}

  /** @param apart whether the service that asks knows a header's values one by one */
  private record Asked(
      String method, String host, String path, Map<String, List<String>> values, boolean apart)
      implements RoutedRequest {
    @Override
    public @Nullable String header(String name) {
      var all = values.get(name);
      return all == null ? null : String.join(",", all);
    }

    @Override
    public @Nullable List<String> headerValues(String name) {
      return apart ? values.get(name) : null;
    }

    /** As it comes to ext_authz: {@code wire} lets Envoy take the dot behind a host away. */
    Asked at(String seen) {
      return new Asked(method, host.replaceFirst("\\.$", ""), seen, values, apart);
    }

    Asked joined() {
      return new Asked(method, host, path, values, false);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void a_request_is_matched_to_the_route_that_envoy_takes(int seed) throws IOException {
    var random = new Random(seed);
    compareAll(policies(random), () -> request(random), 25);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void a_call_is_matched_to_the_grpc_route_that_envoy_takes(int seed) throws IOException {
    var random = new Random(seed);
    compareAll(grpcPolicies(random), () -> call(random), 25);
  }

  private void compareAll(String policies, Supplier<Asked> requests, int rules) throws IOException {
    var load = Load.text("random.yaml", policies);
    write(load);
    var plans = RoutePlans.of(
        load.policies(), rule -> rule.httpRoute().meta().name() + "-" + rule.index(), null);
    var taken = new HashSet<String>();
    int unsure = 0;
    var envoy = Envoy.start(
        EnvoyBinary.find(System.getenv(), line -> {}),
        folder.resolve("envoy.yaml"),
        admin,
        folder.resolve("envoy.log"));
    try (envoy;
        ports) {
      for (int i = 0; i < REQUESTS; i++) {
        var asked = requests.get();
        var answers = List.of(ask(plain, asked), ask(other, asked));
        unsure += compare(plans, asked, answers, taken) ? 0 : 1;
      }
    }

    assertThat(taken).as("rules that were taken").hasSizeGreaterThan(rules);
    assertThat(unsure).as("requests that nobody could compare").isLessThan(REQUESTS / 2);
  }

  /** Whether there was a route to compare. */
  private static boolean compare(
      RoutePlans<String> plans, Asked asked, List<Taken> answers, Set<String> taken) {
    var rules = new HashSet<String>();
    var paths = new HashSet<String>();
    for (var answer : answers) {
      if (answer.rule() != null && answer.path() != null) {
        rules.add(answer.rule());
        paths.add(answer.path());
      }
    }
    assertThat(paths).as("%s: one path on every port", asked).hasSizeLessThan(2);
    taken.addAll(rules);
    var seen = paths.isEmpty() ? asked : asked.at(paths.iterator().next());
    var found = plans.byMatch(seen);
    if (plans.byMatch(seen.joined()) instanceof Lookup.Found<String> joined) {
      assertThat(joined).as("%s with its headers joined", seen).isEqualTo(found);
    }
    switch (found) {
      case Lookup.Found<String>(var rule) -> {
        if (paths.isEmpty() && answers.stream().anyMatch(answer -> answer.status() != 404)) {
          return false; // Envoy refused it or asked to come again by another path.
        }
        assertThat(rules).as("%s as %s: %s", asked, seen.path(), answers).containsExactly(rule);
      }
      case Lookup.Unresolved<String>(var why) -> {
        switch (why) {
          case SHARED -> {
            assertThat(seen.host()).as("%s: %s", asked, answers).isEqualTo(SHARED_HOST);
            return false;
          }
          case "no route matches" ->
            assertThat(rules).as("%s as %s: %s", asked, seen.path(), answers).isEmpty();
          case "the routes of several listeners match, and their plans differ" ->
            assertThat(rules).as("%s as %s: %s", asked, seen.path(), answers).hasSize(2);
          default -> {
            assertThat(ordinary(seen))
                .as("%s as %s: %s", asked, seen.path(), why)
                .isFalse();
            return false;
          }
        }
      }
      case Lookup.Unbound<String> unbound -> throw new AssertionError("matching found no route");
    }
    return true;
  }

  /** What must always be resolved: a path of plain elements, a host without a dot behind it, and no header that Envoys disagree over. */
  private static boolean ordinary(Asked request) {
    var path = request.path().split("\\?", 2)[0];
    return Pattern.matches(
            "(/(a|b|ab|a\\.b|A|a%20b|a\\.BB?|b\\.C|D|GetAll|Get|List|Other|x))*/?", path)
        && !request.host().endsWith(".")
        && request.values().values().stream()
            .allMatch(values -> values.size() == 1 && !values.contains("é"));
  }

  private Taken ask(int port, Asked asked) throws IOException {
    var fields = new ArrayList<Field>();
    fields.add(new Field("host", asked.host()));
    asked
        .values()
        .forEach(
            (name, values) -> values.forEach(value -> fields.add(new Field(name, utf8(value)))));
    fields.add(new Field("content-length", "0"));
    fields.add(new Field("connection", "close"));
    var answer = new RawHttp(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
            false,
            Duration.ofSeconds(5))
        .send(new RawHttp.Request(asked.method(), asked.path(), fields, ByteString.EMPTY, null));
    var rule = String.join("", answer.header("x-rule"));
    if (!rule.isEmpty()) {
      return new Taken(answer.status(), rule, asked.path());
    }
    var location = String.join("", answer.header("location"));
    var parts = LOCATION.matcher(location);
    return answer.status() == 302 && parts.matches()
        ? new Taken(302, parts.group(1), parts.group(2))
        : new Taken(answer.status(), null, null);
  }

  /** {@link RawHttp} sends characters as bytes. */
  private static String utf8(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private void write(Load load) throws IOException {
    var service = new Address("127.0.0.1", nobody);
    var settings = new WireSettings(
        service,
        service,
        service,
        new Address("127.0.0.1", admin),
        "127.0.0.1",
        Map.of("shop/web/http", plain, "shop/web/alt", other),
        Map.of(),
        null);
    EnvoyConfig.of(load.policies(), settings, load.problems()).write(folder);
    assertThat(load.problems().errors()).as("%s", load.problems().all()).isZero();
  }

  private static String policies(Random random) {
    var yaml = new StringBuilder(GATEWAY);
    for (int i = 0; i < 40; i++) {
      yaml.append("""
          ---
          apiVersion: gateway.networking.k8s.io/v1
          kind: HTTPRoute
          metadata: {name: r%d, namespace: shop%s}
          spec:
            parentRefs: [{name: web%s}]
            hostnames: [%s]
            rules:
          """.formatted(
              i,
              created(random),
              pick(random, List.of("", "", "", ", sectionName: http", ", sectionName: alt")),
              random.nextInt(4) == 0 ? "" : quoted(pick(random, HOSTS))));
      int rules = 1 + random.nextInt(3);
      for (int j = 0; j < rules; j++) {
        yaml.append(rule(random, i, j));
      }
    }
    return yaml.toString();
  }

  private static String created(Random random) {
    return random.nextBoolean()
        ? ""
        : ", creationTimestamp: \"2026-01-0%dT00:00:00Z\"".formatted(1 + random.nextInt(3));
  }

  /** GRPCRoutes, and HTTPRoutes that want one of their hosts. */
  private static String grpcPolicies(Random random) {
    var yaml = new StringBuilder(GATEWAY);
    for (int i = 0; i < 40; i++) {
      yaml.append("""
          ---
          apiVersion: gateway.networking.k8s.io/v1
          kind: GRPCRoute
          metadata: {name: r%d, namespace: shop%s}
          spec:
            parentRefs: [{name: web%s}]
            hostnames: [%s]
            rules:
          """.formatted(
              i,
              created(random),
              pick(random, List.of("", "", "", ", sectionName: http", ", sectionName: alt")),
              quoted(pick(random, HOSTS))));
      int rules = 1 + random.nextInt(3);
      for (int j = 0; j < rules; j++) {
        yaml.append("""
              - name: rule-%d
                matches: [%s, %s]
                filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-rule, value: r%d-%d}]}}]
            """.formatted(j, grpcMatch(random), grpcMatch(random), i, j));
      }
    }
    for (int i = 40; i < 43; i++) {
      yaml.append("""
          ---
          apiVersion: gateway.networking.k8s.io/v1
          kind: HTTPRoute
          metadata: {name: r%d, namespace: shop%s}
          spec:
            parentRefs: [{name: web}]
            hostnames: [x.org]
            rules:
          """.formatted(i, created(random))).append(rule(random, i, 0));
    }
    return yaml.toString();
  }

  private static String grpcMatch(Random random) {
    var parts = new ArrayList<String>();
    var service = "service: " + pick(random, SERVICES);
    var method = "method: " + pick(random, CALLS);
    switch (random.nextInt(7)) {
      case 0 -> parts.add("method: {%s, %s}".formatted(service, method));
      case 1, 2 -> parts.add("method: {%s}".formatted(service));
      case 3 -> parts.add("method: {%s}".formatted(method));
      case 4 ->
        parts.add("method: {type: RegularExpression, service: %s, method: %s}"
            .formatted(
                quoted(pick(random, List.of("a.*", "a[.]B|D"))),
                quoted(pick(random, List.of("Get|List", "Get.*")))));
      case 5 ->
        parts.add("method: {type: RegularExpression, %s: %s}"
            .formatted(
                pick(random, List.of("service", "method")),
                quoted(pick(random, List.of("[a-zA-Z.]*", "Get.*|a.B+")))));
      default -> {}
    }
    if (random.nextInt(3) == 0) {
      parts.add("headers: [" + named(random, pick(random, List.of("x-one", "x-two"))) + "]");
    }
    return "{" + String.join(", ", parts) + "}";
  }

  private static Asked call(Random random) {
    var path = new StringBuilder("/" + pick(random, SERVICES));
    switch (random.nextInt(8)) {
      case 0 -> path.append(pick(random, List.of("", "/", "/Get/x", "/Get/")));
      default -> path.append('/').append(pick(random, List.of("Get", "GetAll", "List", "Other")));
    }
    path.append(random.nextInt(8) == 0 ? "?q=/D/Get" : "");
    return new Asked("POST", pick(random, ASKED_HOSTS), path.toString(), headers(random), true);
  }

  private static String rule(Random random, int route, int rule) {
    var matches = new ArrayList<String>();
    for (int m = 1 + random.nextInt(3); m > 0; m--) {
      matches.add(match(random));
    }
    return """
      - name: rule-%d
        matches: [%s]
        filters: [{type: RequestRedirect, requestRedirect: {hostname: r%d-%d.test, statusCode: 302}}]
    """.formatted(rule, String.join(", ", matches), route, rule);
  }

  private static String match(Random random) {
    var parts = new ArrayList<String>();
    parts.add(
        switch (random.nextInt(4)) {
          case 0 -> path("Exact", plainPath(random));
          case 1 ->
            path(
                "RegularExpression",
                "/" + pick(random, SEGMENTS) + pick(random, List.of("", "/.*", "[ab]*", "/?")));
          default -> path("PathPrefix", plainPath(random));
        });
    if (random.nextInt(3) == 0) {
      parts.add("method: " + pick(random, METHODS));
    }
    if (random.nextInt(3) == 0) {
      parts.add("headers: [" + named(random, pick(random, List.of("x-one", "x-two"))) + "]");
    }
    if (random.nextInt(3) == 0) {
      parts.add("queryParams: [" + named(random, pick(random, List.of("p", "q"))) + "]");
    }
    return "{" + String.join(", ", parts) + "}";
  }

  private static String path(String type, String value) {
    return "path: {type: %s, value: %s}".formatted(type, quoted(value));
  }

  private static String named(Random random, String name) {
    return random.nextBoolean()
        ? "{name: %s, type: Exact, value: %s}"
            .formatted(quoted(name), quoted(pick(random, List.of("1", "2", "1,2"))))
        : "{name: %s, type: RegularExpression, value: %s}"
            .formatted(
                quoted(name), quoted(pick(random, List.of("1", ".", "[12]*", ".*,.*", "%31"))));
  }

  private static Asked request(Random random) {
    var path = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      path.append('/').append(pick(random, random.nextInt(8) == 0 ? ODD_SEGMENTS : SEGMENTS));
    }
    if (path.isEmpty() || random.nextInt(5) == 0) {
      path.append('/');
    }
    for (int i = random.nextInt(4); i > 1; i--) {
      path.append(path.indexOf("?") < 0 ? '?' : '&')
          .append(pick(random, List.of("p=1", "q=2", "q=1", "p", "q=", "%70=1", "p=%31", "q=1,2")));
    }
    return new Asked(
        pick(random, METHODS), pick(random, ASKED_HOSTS), path.toString(), headers(random), true);
  }

  private static Map<String, List<String>> headers(Random random) {
    var headers = new HashMap<String, List<String>>();
    for (var name : List.of("x-one", "x-two")) {
      switch (random.nextInt(8)) {
        case 0, 1, 2 -> headers.put(name, List.of(pick(random, VALUES)));
        case 3 -> headers.put(name, List.of(pick(random, VALUES), pick(random, VALUES)));
        default -> {}
      }
    }
    return headers;
  }

  private static String plainPath(Random random) {
    var path = new StringBuilder();
    for (int i = random.nextInt(3); i > 0; i--) {
      path.append('/').append(pick(random, SEGMENTS));
    }
    return path.isEmpty() || random.nextInt(5) == 0 ? path + "/" : path.toString();
  }

  private static String quoted(String text) {
    return '"' + text + '"';
  }

  private static <T> T pick(Random random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
