package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Backend;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import dev.gatehouse.policy.resource.Gateway.Listener;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.HttpRoute.ParentRef;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.RejectedPolicy;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimToHeader;
import dev.gatehouse.policy.resource.SecurityPolicy.InlineJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwks;
import dev.gatehouse.policy.resource.StringMatch;
import dev.gatehouse.policy.resource.Targets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A small shop's resources for tests: a Gateway {@code shop/web}, and whatever hangs on it. */
final class Fixtures {
  static final String GATEWAY_API = "gateway.networking.k8s.io";
  static final Origin HERE = new Origin("shop.yaml", 3, 5);

  private Fixtures() {}

  static Meta meta(String apiVersion, String kind, String id) {
    return meta(apiVersion, kind, id, null, Map.of());
  }

  static Meta meta(
      String apiVersion,
      String kind,
      String id,
      @Nullable Instant created,
      Map<String, String> labels) {
    var slash = id.indexOf('/');
    return new Meta(
        apiVersion,
        kind,
        id.substring(0, slash),
        id.substring(slash + 1),
        labels,
        Map.of(),
        created,
        new Origin(id + ".yaml", 1, 1));
  }

  static Gateway gateway(String id, Listener... listeners) {
    return new Gateway(meta(GATEWAY_API + "/v1", "Gateway", id), List.of(listeners));
  }

  static Listener listener(String name) {
    return listener(name, null);
  }

  static Listener listener(String name, @Nullable String hostname) {
    return listener(name, 80, hostname, new AllowedRoutes(From.SAME, Map.of()));
  }

  static Listener listener(
      String name, int port, @Nullable String hostname, AllowedRoutes allowed) {
    return new Listener(name, port, "HTTP", hostname, List.of(), allowed, HERE);
  }

  static HttpRoute route(
      String id, List<ParentRef> parents, List<String> hostnames, Rule... rules) {
    return route(meta(GATEWAY_API + "/v1", "HTTPRoute", id), parents, hostnames, rules);
  }

  static HttpRoute route(
      Meta meta, List<ParentRef> parents, List<String> hostnames, Rule... rules) {
    return new HttpRoute(meta, parents, hostnames, List.of(rules));
  }

  /** On {@code shop/web}, for any host. */
  static HttpRoute route(String id, Rule... rules) {
    return route(id, List.of(parent("shop/web")), List.of(), rules);
  }

  static ParentRef parent(String gateway) {
    return parent(gateway, null, null);
  }

  static ParentRef parent(String gateway, @Nullable String section, @Nullable Integer port) {
    var slash = gateway.indexOf('/');
    return new ParentRef(
        gateway.substring(0, slash), gateway.substring(slash + 1), section, port, HERE);
  }

  static Rule rule(@Nullable String name, Match... matches) {
    return new Rule(name, List.of(matches), List.of(), List.of(), null, HERE);
  }

  static Rule rule(@Nullable String name, ObjectRef backend) {
    return new Rule(
        name,
        List.of(prefix("/")),
        List.of(),
        List.of(new HttpRoute.BackendRef(backend, 80, 1)),
        null,
        HERE);
  }

  static HttpRoute grpcRoute(
      String id, @Nullable Instant created, List<String> hostnames, Rule... rules) {
    return route(
        meta(GATEWAY_API + "/v1", "GRPCRoute", id, created, Map.of()),
        List.of(parent("shop/web")),
        hostnames,
        rules);
  }

  /** A GRPCRoute's match by names; an empty one is any. */
  static Match call(String service, String method) {
    var path = service.isEmpty()
        ? method.isEmpty() ? prefix("/") : regex("/[^/]+/" + method)
        : method.isEmpty() ? prefix("/" + service) : exact("/" + service + "/" + method);
    return call(path, service, method);
  }

  /** A GRPCRoute's match by expressions. */
  static Match callLike(String service, String method) {
    var path = "/(?:" + (service.isEmpty() ? "[^/]+" : service) + ")/(?:"
        + (method.isEmpty() ? "[^/]+" : method) + ")";
    return call(regex(path), service, method);
  }

  private static Match call(Match path, String service, String method) {
    return new Match(
        path.path(), null, List.of(), List.of(), new HttpRoute.GrpcMethod(service, method));
  }

  static Match prefix(String path) {
    return match(StringMatch.Type.PATH_PREFIX, path);
  }

  static Match exact(String path) {
    return match(StringMatch.Type.EXACT, path);
  }

  static Match regex(String path) {
    return match(StringMatch.Type.REGULAR_EXPRESSION, path);
  }

  static Match match(StringMatch.Type type, String path) {
    return new Match(new StringMatch(type, path), null, List.of(), List.of());
  }

  static Match method(Match match, String method) {
    return new Match(match.path(), method, match.headers(), match.queryParams());
  }

  static Match header(Match match, String name, StringMatch.Type type, String value) {
    var headers = new ArrayList<>(match.headers());
    headers.add(new NamedMatch(name, new StringMatch(type, value)));
    return new Match(
        match.path(), match.method(), List.copyOf(headers), match.queryParams(), match.grpc());
  }

  static Match query(Match match, String name, StringMatch.Type type, String value) {
    var queries = new ArrayList<>(match.queryParams());
    queries.add(new NamedMatch(name, new StringMatch(type, value)));
    return new Match(match.path(), match.method(), match.headers(), List.copyOf(queries));
  }

  static Backend backend(String id) {
    return new Backend(
        meta("gateway.envoyproxy.io/v1alpha1", "Backend", id),
        List.of(new Backend.Ip("127.0.0.1", 8080)));
  }

  static ObjectRef ref(String group, String kind, String id) {
    var slash = id.indexOf('/');
    return new ObjectRef(
        group, kind, id.substring(0, slash), id.substring(slash + 1), new Origin(id, 9, 9));
  }

  static Targets targets(Targets.Ref... refs) {
    return new Targets(List.of(refs), List.of());
  }

  static Targets.Ref target(String kind, String name, @Nullable String section) {
    return new Targets.Ref(GATEWAY_API, kind, name, section, HERE);
  }

  static SecurityPolicy security(String id, Targets targets) {
    return security(id, null, targets);
  }

  static SecurityPolicy security(String id, @Nullable Instant created, Targets targets) {
    return SecurityPolicy.empty(
        meta("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", id, created, Map.of()),
        targets,
        false);
  }

  static SecurityPolicy jwt(String id, Targets targets, Jwks jwks, ClaimToHeader... headers) {
    return new SecurityPolicy(
        meta("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", id),
        targets,
        false,
        null,
        new SecurityPolicy.Jwt(
            false,
            List.of(new SecurityPolicy.Provider(
                "idp",
                null,
                List.of(),
                jwks,
                List.of(headers),
                null,
                SecurityPolicy.TokenRules.NONE,
                HERE))),
        null,
        null,
        null,
        null,
        null,
        SecurityPolicy.Response.NONE,
        false);
  }

  static SecurityPolicy jwt(String id, Targets targets, ClaimToHeader... headers) {
    return jwt(id, targets, new InlineJwks("{}"), headers);
  }

  static SecurityPolicy attachmentOnly(String id, Targets targets) {
    return SecurityPolicy.empty(
        meta("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", id), targets, true);
  }

  static BackendTrafficPolicy traffic(String id, Targets targets) {
    return traffic(meta("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy", id), targets);
  }

  static BackendTrafficPolicy rateLimit(String id, Targets targets) {
    return traffic(meta("gatehouse.dev/v1alpha1", "RateLimitPolicy", id), targets);
  }

  private static BackendTrafficPolicy traffic(Meta meta, Targets targets) {
    return new BackendTrafficPolicy(
        meta, targets, List.of(), true, BackendTrafficPolicy.Denial.USUAL);
  }

  static RejectedPolicy rejected(
      String kind, String id, @Nullable Instant created, Targets targets) {
    return new RejectedPolicy(
        meta("gateway.envoyproxy.io/v1alpha1", kind, id, created, Map.of()), targets);
  }

  static PolicySet attach(Problems problems, Resource... resources) {
    return PolicySet.attach(List.of(resources), List.of(), problems);
  }

  /** Attaches what must be without a problem. */
  static PolicySet sound(Resource... resources) {
    var problems = new Problems();
    var set = attach(problems, resources);
    if (!problems.all().isEmpty()) {
      throw new AssertionError(problems.all().toString());
    }
    return set;
  }

  static List<String> texts(Problems problems) {
    return problems.all().stream().map(Problem::toString).toList();
  }

  /** Each rule's SecurityPolicy, as {@code rule → policy}. */
  static Stream<String> security(PolicySet set) {
    return set.rules().stream()
        .map(rule ->
            rule.listener().listener() + " " + rule.route().rule() + ": " + name(rule.security()));
  }

  static String name(Attachment<?> attachment) {
    return switch (attachment) {
      case Attachment.None<?> none -> "none";
      case Attachment.Of<?>(var policy) -> policy.meta().name();
      case Attachment.Rejected<?>(var meta) -> "rejected " + meta.id();
    };
  }
}
