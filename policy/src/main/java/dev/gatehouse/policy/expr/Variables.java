package dev.gatehouse.policy.expr;

import dev.cel.runtime.CelVariableResolver;
import dev.gatehouse.policy.attach.RouteKey;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A request as CEL asks for it: by the name of a variable, and nothing before it asks. */
record Variables(RequestFacts request, Uses uses) implements CelVariableResolver {
  @Override
  public Optional<Object> find(String name) {
    return Optional.ofNullable(value(name));
  }

  private @Nullable Object value(String name) {
    return switch (name) {
      case "request.method" -> request.method();
      case "request.path" -> request.path();
      case "request.url_path" -> request.urlPath();
      case "request.host" -> request.host();
      case "request.scheme" -> request.scheme();
      case "request.id" -> request.id();
      case "source.address" -> request.sourceAddress();
      case "route.kind" -> route(RouteKey::kind);
      case "route.namespace" -> route(RouteKey::namespace);
      case "route.name" -> route(RouteKey::name);
      case "route.rule" -> route(RouteKey::rule);
      case Vocabulary.DECISION -> request.decision();
      case "response.code" -> (long) request.responseCode();
      case Vocabulary.HEADERS -> map(name, request::header, request::headers);
      case Vocabulary.QUERY -> map(name, key -> request.query().get(key), request::query);
      case Vocabulary.RESPONSE_HEADERS ->
        map(name, key -> request.responseHeaders().get(key), request::responseHeaders);
      case Vocabulary.AUTH -> auth();
      case Vocabulary.REQUEST_BODY -> request.requestBody();
      case Vocabulary.RESPONSE_BODY -> request.responseBody();
      case Vocabulary.METADATA -> map(name, request::metadata, Map::of);
      default -> null;
    };
  }

  private @Nullable String route(Function<RouteKey, String> part) {
    var route = request.route();
    return route == null ? null : part.apply(route);
  }

  /** Empty when nobody was authenticated, so that {@code has(auth.sub)} is false then. */
  private Map<String, Object> auth() {
    var auth = request.auth();
    return auth == null
        ? Map.of()
        : map(Vocabulary.AUTH, key -> part(auth, key), () -> parts(auth));
  }

  private static Map<String, Object> parts(Auth auth) {
    var parts = new HashMap<String, Object>();
    for (var key : Vocabulary.AUTH_KEYS) {
      var part = part(auth, key);
      if (part != null) {
        parts.put(key, part);
      }
    }
    return parts;
  }

  private static @Nullable Object part(Auth auth, String key) {
    return switch (key) {
      case "method" -> auth.method();
      case "sub" -> auth.sub();
      case "iss" -> auth.iss();
      case "scopes" -> auth.scopes();
      case "claims" -> auth.claims();
      case "plan" -> auth.plan();
      default -> null;
    };
  }

  /** A map of the keys that the expression looks at, or the whole of it. */
  private <V> Map<String, V> map(
      String name, Function<String, @Nullable V> value, Supplier<Map<String, V>> whole) {
    var keys = uses.keys().get(name);
    if (keys == null) {
      return whole.get();
    }
    if (keys.size() == 1) {
      var only = value.apply(keys.getFirst());
      return only == null ? Map.of() : Map.of(keys.getFirst(), only);
    }
    var some = new HashMap<String, V>();
    for (int i = 0; i < keys.size(); i++) {
      var there = value.apply(keys.get(i));
      if (there != null) {
        some.put(keys.get(i), there);
      }
    }
    return some;
  }
}
