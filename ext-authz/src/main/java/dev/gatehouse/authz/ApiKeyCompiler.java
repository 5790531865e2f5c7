package dev.gatehouse.authz;

import dev.gatehouse.authz.Method.Stripped;
import dev.gatehouse.authz.apikey.ApiKeys;
import dev.gatehouse.authz.apikey.ApiKeys.BadKey;
import dev.gatehouse.authz.jwt.StrictJson;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy.ApiKeyAuth;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Makes a method of one policy's {@code apiKeyAuth}: its Secrets' keys, and what its ConfigMap says of their clients. */
final class ApiKeyCompiler {
  private final PolicySet policies;
  private final Problems problems;
  private boolean missing;

  ApiKeyCompiler(PolicySet policies, Problems problems) {
    this.policies = policies;
    this.problems = problems;
  }

  /** Null if a Secret or ConfigMap is not there, which was reported when the policy was attached. */
  @Nullable
  ApiKeyMethod compile(ApiKeyAuth auth) {
    var keys = keys(auth);
    if (missing) {
      return null;
    }
    var places = auth.extractFrom().stream()
        .flatMap(from -> TokenLocation.of(from).stream())
        .distinct()
        .toList();
    return new ApiKeyMethod(keys, places, auth.sanitize() ? stripped(auth) : Stripped.NOTHING);
  }

  /** Of a client that stands in several Secrets the first counts, as in Envoy Gateway. */
  private ApiKeys<Proof> keys(ApiKeyAuth auth) {
    var attributes = attributes(auth);
    var seen = new HashSet<String>();
    var keys = new ApiKeys.Builder<Proof>();
    for (int i = 0; i < auth.credentialRefs().size(); i++) {
      var ref = auth.credentialRefs().get(i);
      var path = "spec.apiKeyAuth.credentialRefs[" + i + "]";
      var secret = policies.secret(ref);
      if (secret == null) {
        missing = true;
        continue;
      }
      for (var entry : secret.data().entrySet()) {
        var id = entry.getKey();
        if (!seen.add(id)) {
          problems.warning(
              ref.origin(),
              path,
              "the client \"" + id + "\" stands in an earlier Secret too, whose key counts");
          continue;
        }
        try {
          keys.add(
              id,
              entry.getValue(),
              new Proof(identity(auth, id, attributes.getOrDefault(id, Map.of()))));
        } catch (BadKey e) {
          problems.error(
              secret.meta().origin(), "data[" + id + "]", "the API key " + e.getMessage());
        }
      }
    }
    var unknown = new TreeSet<>(attributes.keySet());
    unknown.removeAll(seen);
    if (!unknown.isEmpty()) {
      problems.warning(
          auth.origin(),
          "spec.apiKeyAuth.clients",
          "says something of clients without a key: " + unknown);
    }
    return keys.build();
  }

  private static Identity identity(ApiKeyAuth auth, String id, Map<String, Object> attributes) {
    var header = auth.forwardClientIdHeader();
    var plan = attributes.get("plan") instanceof String text ? text : null;
    return new Identity(
        new Auth("apiKey", id, null, List.of(), attributes, plan),
        null,
        Map.of(),
        header == null
            ? Map.of()
            : HeaderChanges.fieldValues(Map.of(header.toLowerCase(Locale.ROOT), id)));
  }

  /** By client, from the ConfigMap that {@code clients} names: a JSON object for each. */
  private Map<String, Map<String, Object>> attributes(ApiKeyAuth auth) {
    var ref = auth.clients();
    if (ref == null) {
      return Map.of();
    }
    var map = policies.configMap(ref);
    if (map == null) {
      missing = true;
      return Map.of();
    }
    var all = new HashMap<String, Map<String, Object>>();
    map.data().forEach((id, json) -> {
      var object = StrictJson.claims(json);
      if (object == null) {
        problems.error(
            map.meta().origin(),
            "data[" + id + "]",
            "no JSON object (expected: something like {\"plan\": \"gold\"})");
      } else {
        all.put(id, object);
      }
    });
    return all;
  }

  private static Stripped stripped(ApiKeyAuth auth) {
    var headers = new ArrayList<String>();
    var parameters = new ArrayList<String>();
    var cookies = new ArrayList<String>();
    for (var from : auth.extractFrom()) {
      from.headers().forEach(header -> headers.add(header.name().toLowerCase(Locale.ROOT)));
      parameters.addAll(from.params());
      cookies.addAll(from.cookies());
    }
    return new Stripped(List.copyOf(headers), List.copyOf(parameters), List.copyOf(cookies));
  }
}
