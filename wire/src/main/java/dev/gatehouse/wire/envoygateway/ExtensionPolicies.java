package dev.gatehouse.wire.envoygateway;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.extproc.NeedsBook;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Body;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.wire.Tree;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The EnvoyExtensionPolicies by which Envoy Gateway 1.9 asks ext-proc, one a route or, where the rules of a route need different things,
 * one a rule; and the ReferenceGrant that lets them call ext-proc in its namespace. A route that gives way to one of the other kind is not
 * left out: this gateway takes both.
 */
public final class ExtensionPolicies {
  /** For the headers of a message: twice Envoy Gateway's 200 ms, as {@code wire envoy} has it. */
  private static final String HEADERS_WITHIN = "500ms";

  /** The gateway cannot be asked for more time while it waits, so a body gets all that ext-proc may take from the beginning. */
  private static final String BODIES_WITHIN = "5s";

  private final PolicySet policies;
  private final ServiceRef service;
  private final Problems problems;
  private final List<Map<String, Object>> written = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private final NeedsBook needs = new NeedsBook();

  private ExtensionPolicies(PolicySet policies, ServiceRef service, Problems problems) {
    this.policies = policies;
    this.service = service;
    this.problems = problems;
  }

  /**
   * As one YAML text; empty where no route needs ext-proc. A route whose policy somebody else wrote is left out, with an error in {@code
   * problems}: of two policies on one target the gateway takes one.
   */
  public static String yaml(PolicySet policies, ServiceRef service, Problems problems) {
    var all = new ExtensionPolicies(policies, service, problems);
    all.routes();
    all.grant();
    return all.written.stream().map(Tree::yaml).collect(Collectors.joining("---\n"));
  }

  private void routes() {
    var rules = new TreeMap<String, List<AttachedRule>>();
    for (var rule : policies.rules()) {
      rules
          .computeIfAbsent(rule.httpRoute().meta().title(), route -> new ArrayList<>())
          .add(rule);
    }
    rules.values().forEach(this::route);
  }

  /** What the rules of one route want, by their place in it; the same rule on several listeners wants what any of them does. */
  private void route(List<AttachedRule> rules) {
    var wanted = new TreeMap<Integer, @Nullable Wanted>();
    for (var rule : rules) {
      var one = Wanted.of(needs.of(rule));
      var other = wanted.get(rule.index());
      wanted.put(rule.index(), one == null ? other : other == null ? one : one.and(other));
    }
    if (wanted.values().stream().allMatch(Objects::isNull) || isTaken(rules)) {
      return;
    }
    var route = rules.getFirst().httpRoute();
    var whole = whole(route, wanted);
    var merges = rules.stream().anyMatch(this::mergesWithOthers);
    if (whole != null) {
      write(route, null, whole, merges);
    }
    wanted.forEach((index, one) -> {
      var name = route.rules().get(index).name();
      if (name != null && one != null && !one.equals(whole)) {
        write(route, name, one, merges);
      }
    });
  }

  /** For the route as a whole: what all its rules want alike, or else what those want that have no name to target them by; null if nothing. */
  private static @Nullable Wanted whole(HttpRoute route, Map<Integer, @Nullable Wanted> wanted) {
    var first = wanted.values().iterator().next();
    if (wanted.values().stream().allMatch(one -> Objects.equals(one, first))) {
      return first;
    }
    return wanted.entrySet().stream()
        .filter(entry -> route.rules().get(entry.getKey()).name() == null)
        .map(Map.Entry::getValue)
        .filter(Objects::nonNull)
        .reduce(Wanted::and)
        .orElse(null);
  }

  /** Whether the route, or a rule of it, has an EnvoyExtensionPolicy that was not written here. */
  private boolean isTaken(List<AttachedRule> rules) {
    for (var rule : rules) {
      if (!(policyOn(rule) instanceof EnvoyExtensionPolicy policy)
          || !means(policy, rule.httpRoute())) {
        continue;
      }
      if (policy.extProc().stream().noneMatch(e -> ServiceRef.isOurs(service, policy, e))) {
        problems.error(
            policy.meta().origin(),
            "spec.extProc",
            "%s needs ext-proc, and Envoy Gateway takes one EnvoyExtensionPolicy a target, which is this one; add an extProc with backendRefs [%s] here, or remove it; 'gatehouse lint' says what else it needs"
                .formatted(
                    rule.httpRoute().meta().title(),
                    service.backendRef().toString().replace("=", ": ")));
      }
      return true;
    }
    return false;
  }

  /** A policy of its own on a route takes the place of the Gateway's; merged with it, it leaves Wasm, Lua and modules standing. */
  private boolean mergesWithOthers(AttachedRule rule) {
    if (!(policyOn(rule) instanceof EnvoyExtensionPolicy policy)) {
      return false;
    }
    if (policy.extProc().stream().anyMatch(e -> !ServiceRef.isOurs(service, policy, e))) {
      problems.error(
          policy.meta().origin(),
          "spec.extProc",
          "%s needs ext-proc, and the policy that is written for it takes the place of these processors there; write one by hand that names them too"
              .formatted(rule.httpRoute().meta().title()));
    }
    return policy.others();
  }

  private @Nullable Policy policyOn(AttachedRule rule) {
    var all = policies.extensions(
        rule, policy -> !(policy instanceof EnvoyExtensionPolicy e && e.writtenByGatehouse()));
    return all.isEmpty() ? null : all.getFirst();
  }

  private static boolean means(EnvoyExtensionPolicy policy, HttpRoute route) {
    var kind = route.meta().kind();
    return policy.targets().refs().stream()
            .anyMatch(
                ref -> ref.kind().equals(kind) && ref.name().equals(route.meta().name()))
        || policy.targets().selectors().stream()
            .anyMatch(selector -> selector.kind().equals(kind)
                && route
                    .meta()
                    .labels()
                    .entrySet()
                    .containsAll(selector.matchLabels().entrySet()));
  }

  private void write(HttpRoute route, @Nullable String rule, Wanted wanted, boolean merges) {
    var meta = route.meta();
    var name = PolicyName.of(meta.kind(), meta.name(), rule);
    if (!names.add(meta.namespace() + "/" + name)) {
      problems.error(
          meta.origin(),
          "metadata.name",
          "%s would have an EnvoyExtensionPolicy called %s, as another route's already is, and of two with one name only the last would hold; call the route something else"
              .formatted(rule == null ? meta.title() : meta.title() + " rule " + rule, name));
      return;
    }
    written.add(map(
        "apiVersion",
        "gateway.envoyproxy.io/v1alpha1",
        "kind",
        EnvoyExtensionPolicy.KIND,
        "metadata",
        metadata(name, meta.namespace()),
        "spec",
        map(
            "targetRefs",
            List.of(map(
                "group",
                "gateway.networking.k8s.io",
                "kind",
                meta.kind(),
                "name",
                meta.name(),
                "sectionName",
                rule)),
            "mergeType",
            merges ? "StrategicMerge" : null,
            "extProc",
            List.of(extProc(wanted)))));
  }

  private Map<String, Object> extProc(Wanted wanted) {
    return map(
        "backendRefs",
        List.of(service.backendRef()),
        "messageTimeout",
        wanted.anyBody() ? BODIES_WITHIN : HEADERS_WITHIN,
        "failOpen",
        false,
        "processingMode",
        map("request", side(wanted.request()), "response", side(wanted.response())),
        "metadata",
        wanted.accessible().isEmpty() && !wanted.writes()
            ? null
            : map(
                "accessibleNamespaces",
                wanted.accessible().isEmpty() ? null : List.copyOf(wanted.accessible()),
                "writableNamespaces",
                wanted.writes() ? List.of(Bindings.PROCESSOR_NAMESPACE) : null));
  }

  private static @Nullable Map<String, Object> side(Wanted.@Nullable Side side) {
    return side == null
        ? null
        : map(
            "body",
            side.body() == Body.NONE ? null : side.body().toString(),
            "attributes",
            List.copyOf(side.attributes()));
  }

  private static Map<String, Object> metadata(String name, String namespace) {
    return map(
        "name",
        name,
        "namespace",
        namespace,
        "labels",
        map(EnvoyExtensionPolicy.MANAGED_BY, "gatehouse"));
  }

  /** For policies in other namespaces than ext-proc's. */
  private void grant() {
    var from = new TreeSet<String>();
    for (var policy : written) {
      if (policy.get("metadata") instanceof Map<?, ?> metadata) {
        from.add(String.valueOf(metadata.get("namespace")));
      }
    }
    from.remove(service.namespace());
    if (from.isEmpty()) {
      return;
    }
    written.add(map(
        "apiVersion",
        "gateway.networking.k8s.io/v1beta1",
        "kind",
        "ReferenceGrant",
        "metadata",
        metadata("gatehouse-" + service.name(), service.namespace()),
        "spec",
        map(
            "from",
            from.stream()
                .map(namespace -> map(
                    "group",
                    "gateway.envoyproxy.io",
                    "kind",
                    EnvoyExtensionPolicy.KIND,
                    "namespace",
                    namespace))
                .toList(),
            "to",
            List.of(
                map("group", service.group(), "kind", service.kind(), "name", service.name())))));
  }
}
