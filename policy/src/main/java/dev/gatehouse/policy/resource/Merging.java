package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Value.Context;
import dev.gatehouse.policy.resource.YamlNode.Entry;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code mergeType}: a route's policy laid over the one of its Gateway or listener, as Envoy Gateway does it. Mappings merge field by
 * field, a list or a value replaces the parent's (RFC 7396). {@code StrategicMerge} comes to the same as {@code JSONMerge}: of all the
 * lists only {@code extAuth.contextExtensions} has a key to merge by, and that is not Gatehouse's to read.
 *
 * <p>Envoy Gateway merges what it has read and not what was written, so {@code null} never takes a parent's field away: it is refused
 * when the route's policy is read, for who writes it means that. What is merged is read once more, so that the fields of both must
 * make sense together; what does not is reported at its place in either file.
 */
public final class Merging {
  private static final Set<String> NOT_INHERITED =
      Set.of("targetRef", "targetRefs", "targetSelectors", "mergeType");

  private Merging() {}

  /** The merged policy: the route's name and targets, the parent's content with the route's over it. Null if it is not sound, which is reported. */
  public static @Nullable SecurityPolicy merge(
      SecurityPolicy route, SecurityPolicy parent, Problems problems) {
    int before = problems.errors();
    if (!route.meta().kind().equals(parent.meta().kind())) {
      problems.error(
          route.spec().at("mergeType"),
          "spec.mergeType",
          "%s cannot be merged into %s (%s): they are of different kinds"
              .formatted(
                  route.meta().title(), parent.meta().title(), parent.meta().origin()));
      return null;
    }
    var spec = new Mapping(
        route.spec().origin(), merged(route.spec().fields(), parent.spec().fields()), 1);
    var refs = RefReader.ofMerged(route.meta(), nodes(route.spec()), parent.meta());
    var value = new Value(new Context(problems, false), spec, spec.origin(), "spec");
    var policy = value.object(fields -> {
      fields.ignored("targetRef", "targetRefs", "targetSelectors");
      return SecurityPolicyReader.read(route.meta(), route.targets(), fields, refs);
    });
    if (problems.errors() == before) {
      return policy;
    }
    problems.error(
        route.spec().at("mergeType"),
        "spec.mergeType",
        "%s merged into %s (%s) cannot be honoured; the other errors say why"
            .formatted(
                route.meta().title(), parent.meta().title(), parent.meta().origin()));
    return null;
  }

  private static Map<String, Entry> merged(Map<String, Entry> route, Map<String, Entry> parent) {
    var inherited = new LinkedHashMap<>(parent);
    inherited.keySet().removeAll(NOT_INHERITED);
    var merged = over(route, inherited);
    var rules = route.get("authorization");
    if (rules != null
        && rules.value() instanceof Mapping(var at, var fields, var size)
        && !fields.containsKey("defaultAction")) {
      // Envoy Gateway writes a defaultAction that is not set as null, which takes the parent's
      // away.
      merged.computeIfPresent("authorization", (name, entry) -> without(entry, "defaultAction"));
    }
    return merged;
  }

  private static Entry without(Entry entry, String name) {
    if (!(entry.value() instanceof Mapping(var at, var fields, var size))) {
      return entry;
    }
    var left = new LinkedHashMap<>(fields);
    left.remove(name);
    return new Entry(entry.key(), new Mapping(at, left, size));
  }

  private static Map<String, Entry> over(Map<String, Entry> route, Map<String, Entry> parent) {
    var merged = new LinkedHashMap<>(parent);
    route.forEach((name, entry) -> merged.merge(name, entry, (theirs, ours) -> {
      if (theirs.value() instanceof Mapping(var a, var below, var c)
          && ours.value() instanceof Mapping(var at, var above, var size)) {
        return new Entry(ours.key(), new Mapping(at, over(above, below), size));
      }
      return ours;
    }));
    return merged;
  }

  /** All nodes of a spec, by identity. */
  private static Set<YamlNode> nodes(RawSpec spec) {
    Set<YamlNode> nodes = Collections.newSetFromMap(new IdentityHashMap<>());
    spec.fields().values().forEach(entry -> collect(entry.value(), nodes));
    return nodes;
  }

  private static void collect(YamlNode node, Set<YamlNode> nodes) {
    if (!nodes.add(node)) {
      return;
    }
    switch (node) {
      case Mapping mapping ->
        mapping.entries().values().forEach(entry -> collect(entry.value(), nodes));
      case Sequence sequence -> sequence.items().forEach(item -> collect(item, nodes));
      case YamlNode.Scalar scalar -> {}
    }
  }
}
