package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Targets.Ref;
import dev.gatehouse.policy.resource.Targets.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what a policy is for: {@code targetRefs}, {@code targetRef} and {@code targetSelectors}. */
final class TargetsReader {
  static final String GATEWAY_API = "gateway.networking.k8s.io";
  private static final Set<String> SUPPORTED = Set.of("Gateway", "HTTPRoute", "GRPCRoute");
  private static final Set<String> KINDS = Set.of(
      "Gateway", "HTTPRoute", "GRPCRoute", "ListenerSet", "TCPRoute", "TLSRoute", "UDPRoute");
  private static final int MAX = 64;

  private final Problems problems;
  private final boolean enforced;
  private final List<Value> notYet = new ArrayList<>();

  private TargetsReader(Problems problems, boolean enforced) {
    this.problems = problems;
    this.enforced = enforced;
  }

  /** What could not be read for certain counts as everything, so that a policy that is rejected leaves no target open. */
  static Targets read(Fields spec, Problems problems) {
    return new TargetsReader(problems, true).read(spec);
  }

  /** Of a kind that a gateway enforces and Gatehouse only looks at: what it says of other kinds of routes is left aside. */
  static Targets ofTheGateways(Fields spec, Problems problems) {
    return new TargetsReader(problems, false).read(spec);
  }

  private Targets read(Fields spec) {
    int before = problems.errors();
    var refs = new ArrayList<Ref>(spec.list("targetRefs", MAX, item -> item.object(this::ref)));
    var single = spec.optional("targetRef", item -> item.object(this::ref));
    if (single != null) {
      refs.add(single);
    }
    var selectors =
        spec.list("targetSelectors", MAX, item -> item.object(fields -> selector(item, fields)));
    if (spec.count("targetRef", "targetRefs") == 2) {
      spec.error("has both targetRef and targetRefs (expected: one of them)");
    } else if (refs.isEmpty() && selectors.isEmpty() && problems.errors() == before) {
      spec.error("names no target (expected: targetRefs or targetSelectors)");
    }
    boolean sure = problems.errors() == before;
    if (enforced) {
      notYet.forEach(
          kind -> kind.error(
              "policies for this kind are not supported yet (expected: Gateway, HTTPRoute or GRPCRoute)"));
    }
    return sure ? known(refs, selectors) : Targets.ofEverything();
  }

  private Targets known(List<Ref> refs, List<Selector> selectors) {
    return enforced
        ? new Targets(List.copyOf(refs), selectors)
        : new Targets(
            refs.stream().filter(ref -> SUPPORTED.contains(ref.kind())).toList(),
            selectors.stream().filter(s -> SUPPORTED.contains(s.kind())).toList());
  }

  private Ref ref(Fields fields) {
    var group = fields.required("group", TargetsReader::group);
    var kind = fields.required("kind", this::kind);
    var name = fields.required("name", Formats::name);
    var section = fields.<@Nullable String>optional("sectionName", Formats::name);
    fields.given(
        "namespace",
        namespace -> namespace.error(
            "a policy's targets are in its own namespace; remove this, and put the policy where its target is"));
    return new Ref(group, kind, name, section, fields.origin());
  }

  private Selector selector(Value item, Fields fields) {
    var group = fields.optional("group", TargetsReader::group, GATEWAY_API);
    var kind = fields.required("kind", this::kind);
    Map<String, String> labels =
        fields.optional("matchLabels", v -> v.map(MAX, t -> t.anyText(63)), Map.of());
    fields.unsupported("matchExpressions");
    fields.optional("namespaces", v -> v.object(TargetsReader::namespaces));
    return new Selector(group, kind, labels, item.origin());
  }

  private static String namespaces(Fields fields) {
    var from = fields.optional(
        "from", v -> v.oneOf(Map.of("Same", "Same", "All", "All", "Selector", "Selector")), "Same");
    if (!from.equals("Same")) {
      fields.error("targets in other namespaces are not supported yet (expected: from: Same)");
    }
    fields.unsupported("selector");
    return from;
  }

  private static String group(Value value) {
    var group = value.anyText(253);
    if (!group.equals(GATEWAY_API)) {
      value.error(value.show(group) + " is not a group that policies attach to (expected: "
          + GATEWAY_API + ")");
    }
    return group;
  }

  private String kind(Value value) {
    var kind = value.text(63);
    if (KINDS.contains(kind) && !SUPPORTED.contains(kind)) {
      notYet.add(value);
    } else if (!SUPPORTED.contains(kind) && !kind.isEmpty()) {
      value.error(value.show(kind)
          + " is not a kind that policies attach to (expected: Gateway, HTTPRoute or GRPCRoute)"
          + Shown.didYouMean(kind, SUPPORTED));
    }
    return kind;
  }
}
