package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Merging;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.RejectedPolicy;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.Targets;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which policies hold where, by what they target. The most specific target wins: route rule, route, listener, Gateway; of several
 * policies on one target the oldest, then the first by {@code namespace/name}. A route's policy with {@code mergeType} is merged into
 * the most specific one of its listener and Gateway.
 */
final class Targeting {
  private static final String GROUP = "gateway.networking.k8s.io";
  private static final Comparator<Policy> OLDEST_FIRST = Comparator.<Policy, Instant>comparing(
          policy -> policy.meta().created(), Comparator.nullsLast(Comparator.naturalOrder()))
      .thenComparing(policy -> policy.meta().id())
      .thenComparing(policy -> policy.meta().kind());

  /** Policies of different kinds do not compete; those of one family do. */
  enum Family {
    SECURITY,
    TRAFFIC,
    TRANSFORM,
    /** What a gateway sends to external processors; no service of ours asks for it. */
    EXTENSION
  }

  /** @param section a listener's or rule's name; null means the whole of it */
  private record Target(
      String kind, String namespace, String name, @Nullable String section) {
    String title() {
      return whole() + (section == null ? "" : "/" + section);
    }

    /** The {@link Meta#title} of the resource that this is, or is a part of. */
    String whole() {
      return kind + " " + namespace + "/" + name;
    }
  }

  private final Map<String, Gateway> gateways = new LinkedHashMap<>();
  private final Map<String, HttpRoute> routes = new LinkedHashMap<>();
  private final Map<String, Map<String, Meta>> targets = new LinkedHashMap<>();
  private final Map<Family, Map<Target, List<Policy>>> policies = new LinkedHashMap<>();
  private final Map<Family, List<Policy>> everywhere = new LinkedHashMap<>();
  private final Map<Merge, Optional<SecurityPolicy>> merged = new HashMap<>();
  private final References references;
  private final Problems problems;

  /** A merge, by who takes part: every listener's and rule's are the same. */
  private record Merge(String kind, String route, String parent) {}

  Targeting(
      List<Gateway> gateways,
      List<HttpRoute> routes,
      List<Policy> all,
      References references,
      Problems problems) {
    this.references = references;
    this.problems = problems;
    gateways.forEach(gateway -> this.gateways.put(gateway.meta().id(), gateway));
    routes.forEach(route -> this.routes.put(route.meta().title(), route));
    targets.put("Gateway", metas(gateways));
    targets.put("HTTPRoute", metas(of("HTTPRoute", routes)));
    targets.put(HttpRoute.GRPC_KIND, metas(of(HttpRoute.GRPC_KIND, routes)));
    for (var policy : all) {
      var family = family(policy);
      if (family != null) {
        place(policy, family, problems);
      }
    }
    policies
        .values()
        .forEach(targets -> targets.forEach((target, on) -> settle(target, on, problems)));
  }

  /** What of one family holds on a rule under a listener. */
  <P extends Policy> Attachment<P> on(
      Family family,
      Class<P> type,
      Gateway gateway,
      String listener,
      HttpRoute route,
      @Nullable String rule) {
    var rejected = everywhere.get(family);
    if (rejected != null) {
      return new Attachment.Rejected<>(rejected.getFirst().meta());
    }
    return targets(gateway, listener, route, rule)
        .map(target -> holders(family, target))
        .filter(on -> !on.isEmpty())
        .findFirst()
        .<Attachment<P>>map(on -> on.getFirst() instanceof RejectedPolicy policy
            ? new Attachment.Rejected<>(policy.meta())
            : new Attachment.Of<>(type.cast(on.getFirst())))
        .orElseGet(Attachment.None::new);
  }

  /** Who may pass on a rule under a listener. */
  Attachment<SecurityPolicy> security(
      Gateway gateway, String listener, HttpRoute route, @Nullable String rule) {
    var found = on(Family.SECURITY, SecurityPolicy.class, gateway, listener, route, rule);
    return found instanceof Attachment.Of<SecurityPolicy>(var policy) && policy.merges()
        ? merged(policy, gateway, listener)
        : found;
  }

  /** Without a parent there is nothing to merge into, and a parent that is not in force leaves nothing to be honoured. */
  private Attachment<SecurityPolicy> merged(
      SecurityPolicy policy, Gateway gateway, String listener) {
    var parent = parents(gateway, listener)
        .map(target -> holders(Family.SECURITY, target))
        .filter(on -> !on.isEmpty())
        .map(List::getFirst)
        .findFirst()
        .orElse(null);
    return switch (parent) {
      case null -> new Attachment.Of<>(policy);
      case SecurityPolicy over ->
        merged
            .computeIfAbsent(
                new Merge(policy.meta().kind(), policy.meta().id(), over.meta().title()),
                key -> Optional.ofNullable(merge(policy, over)))
            .<Attachment<SecurityPolicy>>map(Attachment.Of::new)
            .orElseGet(() -> new Attachment.Rejected<>(policy.meta()));
      default -> new Attachment.Rejected<>(parent.meta());
    };
  }

  private @Nullable SecurityPolicy merge(SecurityPolicy policy, SecurityPolicy parent) {
    var both = Merging.merge(policy, parent, problems);
    return both == null || !references.checkMerged(both, problems) ? null : both;
  }

  /**
   * What Envoy Gateway's extension policies make of a rule under a listener: the most specific one first and, if that one merges, the one of
   * its listener or Gateway behind it.
   */
  List<Policy> extensions(
      Gateway gateway,
      String listener,
      HttpRoute route,
      @Nullable String rule,
      Predicate<Policy> counts) {
    var own = first(targets(gateway, listener, route, rule), counts);
    return own instanceof EnvoyExtensionPolicy policy && policy.merges()
        ? Stream.of(own, first(parents(gateway, listener), counts))
            .filter(Objects::nonNull)
            .distinct()
            .toList()
        : own == null ? List.of() : List.of(own);
  }

  private @Nullable Policy first(Stream<Target> targets, Predicate<Policy> counts) {
    return targets
        .flatMap(target -> holders(Family.EXTENSION, target).stream().filter(counts))
        .findFirst()
        .orElse(null);
  }

  /** Every policy of one family that means a rule under a listener: the one that holds, then those that would without it. */
  List<Candidate> candidates(
      Family family, Gateway gateway, String listener, HttpRoute route, @Nullable String rule) {
    var rejected = everywhere.get(family);
    if (rejected != null) {
      var meta = rejected.getFirst().meta();
      return List.of(new Candidate(meta, "everything", true, "its targets cannot be read"));
    }
    var candidates = new ArrayList<Candidate>();
    var merging = targets(gateway, listener, route, rule)
        .flatMap(target -> holders(family, target).stream())
        .findFirst()
        .filter(first -> first instanceof SecurityPolicy policy && policy.merges())
        .isPresent();
    var parent = parents(gateway, listener)
        .filter(target -> !holders(family, target).isEmpty())
        .findFirst()
        .orElse(null);
    targets(gateway, listener, route, rule).forEach(target -> {
      var on = holders(family, target);
      for (int i = 0; i < on.size(); i++) {
        var meta = on.get(i).meta();
        boolean merged = merging && i == 0 && target.equals(parent) && !candidates.isEmpty();
        candidates.add(
            merged
                ? new Candidate(meta, target.title(), true, "the route's policy is merged into it")
                : new Candidate(
                    meta,
                    target.title(),
                    candidates.isEmpty(),
                    why(target, on, i, candidates.isEmpty() ? null : candidates.getFirst())));
      }
    });
    return candidates;
  }

  private static String why(Target target, List<Policy> on, int index, @Nullable Candidate before) {
    if (before != null && !before.target().equals(target.title())) {
      return "targets the whole " + target.title() + ", which is less specific than "
          + before.target();
    }
    if (index == 0) {
      return on.size() == 1
          ? "the most specific target"
          : "the most specific target, and of those on it "
              + whyItWins(on.get(0).meta(), on.get(1).meta());
    }
    return "on the same target, where " + on.getFirst().meta().title() + " goes before it, being "
        + whyItWins(on.getFirst().meta(), on.get(index).meta());
  }

  /**
   * Every policy on who may pass that holds, or would if a more specific one went away, on any part of the Gateway or of a route; the
   * rejected ones too, and those of which nobody knows where they hold.
   *
   * @param itsRoutes by {@link Meta#title}, for a GRPCRoute may have an HTTPRoute's name
   */
  Stream<Policy> securityPolicies(Gateway gateway, Set<String> itsRoutes) {
    var placed = policies.getOrDefault(Family.SECURITY, Map.of()).entrySet().stream()
        .filter(entry -> {
          var target = entry.getKey();
          var whole = target.whole();
          return whole.equals(gateway.meta().title()) || itsRoutes.contains(whole);
        })
        .flatMap(entry -> entry.getValue().stream());
    return Stream.concat(placed, everywhere.getOrDefault(Family.SECURITY, List.of()).stream());
  }

  /** The family of a policy, by its kind; null for one that is only an attachment. */
  private static @Nullable Family family(Policy policy) {
    return switch (policy) {
      case SecurityPolicy security -> security.attachmentOnly() ? null : Family.SECURITY;
      case BackendTrafficPolicy traffic -> Family.TRAFFIC;
      case TransformPolicy transform -> Family.TRANSFORM;
      case EnvoyExtensionPolicy extension -> Family.EXTENSION;
      case RejectedPolicy rejected ->
        switch (rejected.meta().kind()) {
          case "SecurityPolicy", "AuthPolicy" -> Family.SECURITY;
          case "BackendTrafficPolicy", "RateLimitPolicy" -> Family.TRAFFIC;
          case "TransformPolicy" -> Family.TRANSFORM;
          case EnvoyExtensionPolicy.KIND -> Family.EXTENSION;
          default -> null;
        };
    };
  }

  private void place(Policy policy, Family family, Problems problems) {
    if (policy.targets().everything()) {
      everywhere.computeIfAbsent(family, key -> new ArrayList<>()).add(policy);
      return;
    }
    var found = new ArrayList<Target>();
    var refs = policy.targets().refs();
    for (int i = 0; i < refs.size(); i++) {
      var target = target(policy.meta(), refs.get(i), "spec.targetRefs[" + i + "]", problems);
      if (target != null) {
        found.add(target);
      }
    }
    var selectors = policy.targets().selectors();
    for (int i = 0; i < selectors.size(); i++) {
      found.addAll(
          selected(policy.meta(), selectors.get(i), "spec.targetSelectors[" + i + "]", problems));
    }
    found.stream()
        .distinct()
        .forEach(target -> policies
            .computeIfAbsent(family, key -> new LinkedHashMap<>())
            .computeIfAbsent(target, key -> new ArrayList<>())
            .add(policy));
  }

  private @Nullable Target target(Meta policy, Targets.Ref ref, String path, Problems problems) {
    var id = policy.namespace() + "/" + ref.name();
    var known = known(ref.group(), ref.kind());
    if (known == null) {
      problems.warning(ref.origin(), path + ".kind", unknownKind(ref.group(), ref.kind()));
      return null;
    }
    if (!known.containsKey(id)) {
      problems.warning(ref.origin(), path + ".name", missing(policy, ref, known));
      return null;
    }
    var section = ref.sectionName();
    var sections = sections(ref.kind(), id);
    if (section != null && !sections.contains(section)) {
      problems.warning(
          ref.origin(),
          path + ".sectionName",
          "%s \"%s\" has no %s \"%s\" %s"
              .formatted(
                  ref.kind(),
                  id,
                  ref.kind().equals("Gateway") ? "listener" : "rule named",
                  section,
                  Names.thereAre(section, sections)));
      return null;
    }
    return new Target(ref.kind(), policy.namespace(), ref.name(), section);
  }

  private List<Target> selected(
      Meta policy, Targets.Selector selector, String path, Problems problems) {
    var known = known(selector.group(), selector.kind());
    if (known == null) {
      problems.warning(
          selector.origin(), path + ".kind", unknownKind(selector.group(), selector.kind()));
      return List.of();
    }
    var selected = known.values().stream()
        .filter(meta -> meta.namespace().equals(policy.namespace()))
        .filter(
            meta -> meta.labels().entrySet().containsAll(selector.matchLabels().entrySet()))
        .map(meta -> new Target(selector.kind(), meta.namespace(), meta.name(), null))
        .toList();
    if (selected.isEmpty()) {
      problems.warning(
          selector.origin(),
          path + ".matchLabels",
          "no %s in namespace \"%s\" bears the labels %s"
              .formatted(selector.kind(), policy.namespace(), selector.matchLabels()));
    }
    return selected;
  }

  /** The resources of a kind that policies attach to, by {@code namespace/name}; null for other kinds. */
  private @Nullable Map<String, Meta> known(String group, String kind) {
    return group.equals(GROUP) ? targets.get(kind) : null;
  }

  private List<String> sections(String kind, String id) {
    return kind.equals("Gateway")
        ? Objects.requireNonNull(gateways.get(id)).listeners().stream()
            .map(Gateway.Listener::name)
            .toList()
        : Objects.requireNonNull(routes.get(kind + " " + id)).rules().stream()
            .map(HttpRoute.Rule::name)
            .filter(Objects::nonNull)
            .toList();
  }

  private static List<HttpRoute> of(String kind, List<HttpRoute> routes) {
    return routes.stream().filter(route -> route.meta().kind().equals(kind)).toList();
  }

  private static Map<String, Meta> metas(List<? extends Resource> resources) {
    var metas = new LinkedHashMap<String, Meta>();
    resources.forEach(resource -> metas.put(resource.meta().id(), resource.meta()));
    return metas;
  }

  /** A policy cannot mean what is in another namespace, so only its own namespace's names are suggested. */
  private static String missing(Meta policy, Targets.Ref ref, Map<String, Meta> known) {
    var id = policy.namespace() + "/" + ref.name();
    var own = known.keySet().stream()
        .filter(name -> name.startsWith(policy.namespace() + "/"))
        .toList();
    return own.isEmpty() && !known.isEmpty()
        ? "no %s \"%s\": a policy holds in its own namespace only, and there is none in \"%s\" (elsewhere: %s)"
            .formatted(ref.kind(), id, policy.namespace(), Names.some(known.keySet()))
        : "no %s \"%s\" %s".formatted(ref.kind(), id, Names.thereAre(id, own));
  }

  private static String unknownKind(String group, String kind) {
    return "policies hold for nothing of kind %s in group \"%s\" here (expected Gateway, HTTPRoute or GRPCRoute in %s)"
        .formatted(kind, group, GROUP);
  }

  private static void settle(Target target, List<Policy> on, Problems problems) {
    on.sort(OLDEST_FIRST);
    var winner = on.getFirst().meta();
    for (var loser : on.subList(1, on.size())) {
      var meta = loser.meta();
      problems.warning(
          meta.origin(),
          "spec.targetRefs",
          "two policies on one target: %s does not hold on %s, %s (%s) does, being %s; remove one, or target something narrower"
              .formatted(
                  meta.title(),
                  target.title(),
                  winner.title(),
                  winner.origin(),
                  whyItWins(winner, meta)));
    }
  }

  private static String whyItWins(Meta winner, Meta loser) {
    if (!Objects.equals(winner.created(), loser.created())) {
      return "older";
    }
    return winner.id().equals(loser.id()) ? "first by kind" : "first by name";
  }

  private List<Policy> holders(Family family, Target target) {
    return policies.getOrDefault(family, Map.of()).getOrDefault(target, List.of());
  }

  /** The most specific first. */
  private static Stream<Target> targets(
      Gateway gateway, String listener, HttpRoute route, @Nullable String rule) {
    var to = route.meta();
    return Stream.concat(
        rule == null
            ? Stream.of()
            : Stream.of(new Target(to.kind(), to.namespace(), to.name(), rule)),
        Stream.concat(
            Stream.of(new Target(to.kind(), to.namespace(), to.name(), null)),
            parents(gateway, listener)));
  }

  private static Stream<Target> parents(Gateway gateway, String listener) {
    var of = gateway.meta();
    return Stream.of(
        new Target("Gateway", of.namespace(), of.name(), listener),
        new Target("Gateway", of.namespace(), of.name(), null));
  }
}
