package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.attach.Targeting.Family;
import dev.gatehouse.policy.resource.Backend;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.ConfigMap;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.Secret;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All resources of one load, attached to the route rules that they hold for. Immutable. */
public final class PolicySet {
  private final List<AttachedRule> rules;
  private final List<Gateway> gateways;
  private final List<Policy> policies;
  private final Map<String, SortedSet<String>> ownedHeaders;
  private final References references;
  private final Crossing crossing;
  private final Targeting targeting;

  private PolicySet(
      List<AttachedRule> rules,
      List<Gateway> gateways,
      List<Policy> policies,
      Map<String, SortedSet<String>> ownedHeaders,
      References references,
      Crossing crossing,
      Targeting targeting) {
    this.rules = rules;
    this.gateways = gateways;
    this.policies = policies;
    this.ownedHeaders = ownedHeaders;
    this.references = references;
    this.crossing = crossing;
    this.targeting = targeting;
  }

  /**
   * Attaches.
   *
   * @param unreadable the files that could not be read at all; while there is one, every policy of every route is {@link Attachment.Rejected}
   */
  public static PolicySet attach(
      List<Resource> resources, List<String> unreadable, Problems problems) {
    var known = Resources.unique(resources, problems);
    var gateways = Resources.of(Gateway.class, known);
    var routes = Resources.of(HttpRoute.class, known);
    var policies = Resources.of(Policy.class, known);
    var references = new References(known, problems);
    var targeting = new Targeting(gateways, routes, policies, references, problems);
    var parents = new Parents(gateways, problems);
    var hidden = unreadable.isEmpty() ? null : file(unreadable.getFirst());

    var rules = new ArrayList<AttachedRule>();
    var hung = new ArrayList<Crossing.Hung>();
    for (var route : routes) {
      var keys = RuleNames.of(route, problems);
      for (var place : parents.of(route)) {
        hung.add(new Crossing.Hung(route, place));
        for (int i = 0; i < keys.size(); i++) {
          rules.add(rule(route, i, keys.get(i), place, targeting, hidden));
        }
      }
    }
    return new PolicySet(
        List.copyOf(rules),
        gateways,
        policies,
        gateways.stream()
            .collect(
                Collectors.toMap(g -> g.meta().id(), g -> owned(g, rules, targeting, problems))),
        references,
        new Crossing(hung, problems),
        targeting);
  }

  /** Every listener × route rule, those too whose route {@link #givesWay}. */
  public List<AttachedRule> rules() {
    return rules;
  }

  /** Whether a route of the other kind, HTTPRoute or GRPCRoute, has the rule's hosts on its listener, so that no request comes to it there. */
  public boolean givesWay(AttachedRule rule) {
    return crossing.givesWay(rule);
  }

  public List<Gateway> gateways() {
    return gateways;
  }

  /** Every policy, those that hold on no rule and the rejected ones too. */
  public List<Policy> policies() {
    return policies;
  }

  /**
   * The header names, in lower case, that the policies of a Gateway own (those of {@code claimToHeaders}, of a client's or user's
   * name, and of {@code response.headers}), the rejected ones too: no route of it lets a client's own through to the upstream.
   */
  public SortedSet<String> ownedHeaders(Gateway gateway) {
    return ownedHeaders.getOrDefault(gateway.meta().id(), Collections.emptySortedSet());
  }

  /** Who may call a rule: the policies that mean it, the one that holds first. Empty for an open one. */
  public List<Candidate> securityCandidates(AttachedRule rule) {
    return candidates(Family.SECURITY, rule);
  }

  /** How often: as {@link #securityCandidates}. */
  public List<Candidate> trafficCandidates(AttachedRule rule) {
    return candidates(Family.TRAFFIC, rule);
  }

  /** What changes on the way: as {@link #securityCandidates}. */
  public List<Candidate> transformCandidates(AttachedRule rule) {
    return candidates(Family.TRANSFORM, rule);
  }

  /**
   * What Envoy Gateway puts in front of a rule: the most specific EnvoyExtensionPolicy and, behind it, the one that it merges with. One that
   * could not be read is a {@link RejectedPolicy}.
   */
  public List<Policy> extensions(AttachedRule rule) {
    return extensions(rule, policy -> true);
  }

  /** As if there were only those that count. */
  public List<Policy> extensions(AttachedRule rule, Predicate<Policy> counts) {
    return targeting.extensions(
        rule.gateway(),
        rule.gatewayListener().name(),
        rule.httpRoute(),
        rule.rule().name(),
        counts);
  }

  private List<Candidate> candidates(Family family, AttachedRule rule) {
    return targeting.candidates(
        family,
        rule.gateway(),
        rule.gatewayListener().name(),
        rule.httpRoute(),
        rule.rule().name());
  }

  /** The object that a reference names, or null if there is none or the reference may not cross namespaces. */
  public @Nullable Secret secret(ObjectRef ref) {
    return references.secret(ref);
  }

  /** As {@link #secret}. */
  public @Nullable ConfigMap configMap(ObjectRef ref) {
    return references.configMap(ref);
  }

  /** As {@link #secret}. */
  public @Nullable Backend backend(ObjectRef ref) {
    return references.backend(ref);
  }

  private static AttachedRule rule(
      HttpRoute route,
      int index,
      RouteKey key,
      Parents.Place place,
      Targeting targeting,
      @Nullable Meta hidden) {
    var rule = route.rules().get(index);
    var gateway = place.gateway();
    var listener = place.listener();
    return new AttachedRule(
        ListenerKey.of(gateway.meta(), listener.name()),
        key,
        gateway,
        listener,
        route,
        rule,
        index,
        place.hostnames(),
        hidden != null
            ? new Attachment.Rejected<>(hidden)
            : targeting.security(gateway, listener.name(), route, rule.name()),
        hidden != null
            ? new Attachment.Rejected<>(hidden)
            : targeting.on(
                Family.TRAFFIC,
                BackendTrafficPolicy.class,
                gateway,
                listener.name(),
                route,
                rule.name()),
        hidden != null
            ? new Attachment.Rejected<>(hidden)
            : targeting.on(
                Family.TRANSFORM,
                TransformPolicy.class,
                gateway,
                listener.name(),
                route,
                rule.name()));
  }

  /** What a Gateway's policies own. One that looks for credentials in what another sets finds none: that is reported. */
  private static SortedSet<String> owned(
      Gateway gateway, List<AttachedRule> rules, Targeting targeting, Problems problems) {
    var routes = rules.stream()
        .filter(rule -> rule.gateway().meta().id().equals(gateway.meta().id()))
        .map(rule -> rule.httpRoute().meta().title())
        .collect(Collectors.toSet());
    var policies = targeting.securityPolicies(gateway, routes).distinct().toList();
    var owners = new TreeMap<String, Policy>();
    policies.forEach(
        policy -> policy.ownedHeaders().forEach(header -> owners.putIfAbsent(header, policy)));
    for (var policy : Resources.of(SecurityPolicy.class, policies)) {
      for (var header : new TreeSet<>(policy.credentialHeaders())) {
        var owner = owners.get(header);
        if (owner != null) {
          problems.error(
              policy.meta().origin(),
              "spec",
              "\"%s\", in which %s looks for credentials, is set by %s (%s): %s takes it from every request first"
                  .formatted(
                      header,
                      policy.meta().title(),
                      owner.meta().title(),
                      owner.meta().origin(),
                      gateway.meta().title()));
        }
      }
    }
    return Collections.unmodifiableSortedSet(new TreeSet<>(owners.keySet()));
  }

  /** A file that could not be read, as if it were a resource whose {@code id} is the file's path. */
  private static Meta file(String file) {
    var slash = file.lastIndexOf('/');
    return new Meta(
        "",
        "unreadable file",
        slash < 0 ? "." : file.substring(0, slash),
        file.substring(slash + 1),
        Map.of(),
        Map.of(),
        null,
        new Origin(file, 0, 0));
  }
}
