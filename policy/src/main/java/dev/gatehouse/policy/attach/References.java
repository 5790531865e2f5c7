package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Backend;
import dev.gatehouse.policy.resource.ConfigMap;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.ReferenceGrant;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.Secret;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.InlineJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwks;
import dev.gatehouse.policy.resource.SecurityPolicy.RefJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.RemoteJwks;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The objects that others refer to. A reference into another namespace holds only with a ReferenceGrant there; one that was refused
 * finds nothing, so that whoever overlooks the error still cannot use what it may not.
 */
final class References {
  private final Map<String, Secret> secrets = new HashMap<>();
  private final Map<String, ConfigMap> configMaps = new HashMap<>();
  private final Map<String, Backend> backends = new HashMap<>();
  private final List<ReferenceGrant> grants;
  private final Set<ObjectRef> refused = new HashSet<>();
  private final Set<ObjectRef> checked = new HashSet<>();

  References(Collection<Resource> resources, Problems problems) {
    grants = Resources.of(ReferenceGrant.class, resources);
    Resources.of(Secret.class, resources).forEach(s -> secrets.put(s.meta().id(), s));
    Resources.of(ConfigMap.class, resources)
        .forEach(c -> configMaps.put(c.meta().id(), c));
    Resources.of(Backend.class, resources).forEach(b -> backends.put(b.meta().id(), b));
    resources.forEach(resource -> check(resource, problems));
  }

  @Nullable
  Secret secret(ObjectRef ref) {
    return refused.contains(ref) || !ref.kind().equals("Secret") ? null : secrets.get(id(ref));
  }

  @Nullable
  ConfigMap configMap(ObjectRef ref) {
    return refused.contains(ref) || !ref.kind().equals("ConfigMap")
        ? null
        : configMaps.get(id(ref));
  }

  @Nullable
  Backend backend(ObjectRef ref) {
    return refused.contains(ref) || !ref.kind().equals("Backend") ? null : backends.get(id(ref));
  }

  private void check(Resource resource, Problems problems) {
    switch (resource) {
      case HttpRoute route -> checkRoute(route, problems);
      case Gateway gateway -> checkGateway(gateway, problems);
      case SecurityPolicy policy -> checkSecurity(policy, problems);
      default -> {}
    }
  }

  private void checkRoute(HttpRoute route, Problems problems) {
    for (int r = 0; r < route.rules().size(); r++) {
      var backendRefs = route.rules().get(r).backendRefs();
      for (int b = 0; b < backendRefs.size(); b++) {
        var ref = backendRefs.get(b).ref();
        var path = "spec.rules[" + r + "].backendRefs[" + b + "]";
        // A Service is Kubernetes's to know; `wire` says that it cannot write one.
        if (allowed(route.meta(), ref, path, problems)
            && ref.kind().equals("Backend")
            && !backends.containsKey(id(ref))) {
          problems.error(ref.origin(), path + ".name", missing(ref, backends.keySet()));
        }
      }
    }
  }

  private void checkGateway(Gateway gateway, Problems problems) {
    for (int l = 0; l < gateway.listeners().size(); l++) {
      var refs = gateway.listeners().get(l).certificateRefs();
      for (int c = 0; c < refs.size(); c++) {
        var ref = refs.get(c);
        var path = "spec.listeners[" + l + "].tls.certificateRefs[" + c + "]";
        if (allowed(gateway.meta(), ref, path, problems)
            && ref.kind().equals("Secret")
            && !secrets.containsKey(id(ref))) {
          problems.error(ref.origin(), path + ".name", missing(ref, secrets.keySet()));
        }
      }
    }
  }

  private void checkSecurity(SecurityPolicy policy, Problems problems) {
    refs(policy).forEach((path, ref) -> require(policy.meta(), ref, path, problems));
  }

  /**
   * Checks what a merged policy refers to and neither of the two does, such as a name of one in a namespace of the other: that is the
   * route's policy's to be allowed. False if something is not.
   */
  boolean checkMerged(SecurityPolicy merged, Problems problems) {
    int before = problems.errors();
    refs(merged).forEach((path, ref) -> {
      if (!checked.contains(ref)) {
        require(merged.meta(), ref, path, problems);
      }
    });
    return problems.errors() == before;
  }

  private void require(Meta from, ObjectRef ref, String path, Problems problems) {
    checked.add(ref);
    var known = ref.kind().equals("Secret") ? secrets.keySet() : configMaps.keySet();
    if (allowed(from, ref, path, problems) && !known.contains(id(ref))) {
      problems.error(ref.origin(), path + ".name", missing(ref, known));
    }
  }

  /** The Secrets and ConfigMaps that a policy refers to, by where it does. */
  private static Map<String, ObjectRef> refs(SecurityPolicy policy) {
    var refs = new LinkedHashMap<String, ObjectRef>();
    var jwt = policy.jwt();
    for (int p = 0; jwt != null && p < jwt.providers().size(); p++) {
      addKeySet(jwt.providers().get(p).jwks(), "spec.jwt.providers[" + p + "]", refs);
    }
    var keys = policy.apiKeyAuth();
    for (int c = 0; keys != null && c < keys.credentialRefs().size(); c++) {
      refs.put(
          "spec.apiKeyAuth.credentialRefs[" + c + "]", keys.credentialRefs().get(c));
    }
    if (keys != null && keys.clients() != null) {
      refs.put("spec.apiKeyAuth.clients", keys.clients());
    }
    var users = policy.basicAuth();
    if (users != null) {
      refs.put("spec.basicAuth.users", users.users());
    }
    var certificate = policy.clientCertificate();
    if (certificate != null) {
      refs.put("spec.clientCertificate.caSecret", certificate.ca());
    }
    return refs;
  }

  private static void addKeySet(Jwks jwks, String path, Map<String, ObjectRef> refs) {
    switch (jwks) {
      case RefJwks(var ref) -> refs.put(path + ".localJWKS.valueRef", ref);
      case RemoteJwks(var uri, var cache, var tls) -> {
        if (tls != null && tls.ca() != null) {
          refs.put(path + ".remoteJWKS.tls.caCertificateRefs[0]", tls.ca());
        }
        if (tls != null && tls.clientCertificate() != null) {
          refs.put(path + ".remoteJWKS.tls.clientCertificateRef", tls.clientCertificate());
        }
      }
      case InlineJwks inline -> {}
    }
  }

  private boolean allowed(Meta from, ObjectRef to, String path, Problems problems) {
    if (from.namespace().equals(to.namespace()) || granted(from, to)) {
      return true;
    }
    refused.add(to);
    problems.error(
        to.origin(),
        path + ".namespace",
        "%s may not refer to %s %s in another namespace: a ReferenceGrant in namespace \"%s\" must allow it (from: group %s, kind %s, namespace %s; to: group \"%s\", kind %s)"
            .formatted(
                from.title(),
                to.kind(),
                id(to),
                to.namespace(),
                group(from),
                from.kind(),
                from.namespace(),
                to.group(),
                to.kind()));
    return false;
  }

  private boolean granted(Meta from, ObjectRef to) {
    return grants.stream()
        .filter(grant -> grant.meta().namespace().equals(to.namespace()))
        .anyMatch(grant -> grant.from().stream()
                .anyMatch(f -> f.group().equals(group(from))
                    && f.kind().equals(from.kind())
                    && f.namespace().equals(from.namespace()))
            && grant.to().stream()
                .anyMatch(t -> t.group().equals(to.group())
                    && t.kind().equals(to.kind())
                    && (t.name() == null || t.name().equals(to.name()))));
  }

  private static String missing(ObjectRef ref, Set<String> names) {
    return "no %s \"%s\" %s".formatted(ref.kind(), id(ref), Names.thereAre(id(ref), names));
  }

  private static String group(Meta meta) {
    var slash = meta.apiVersion().indexOf('/');
    return slash < 0 ? "" : meta.apiVersion().substring(0, slash);
  }

  private static String id(ObjectRef ref) {
    return ref.namespace() + "/" + ref.name();
  }
}
