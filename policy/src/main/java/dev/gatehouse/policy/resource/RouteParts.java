package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.HttpRoute.BackendRef;
import dev.gatehouse.policy.resource.HttpRoute.Filter;
import dev.gatehouse.policy.resource.HttpRoute.Header;
import dev.gatehouse.policy.resource.HttpRoute.HeaderModifier;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.HttpRoute.ParentRef;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What HTTPRoutes and GRPCRoutes have in common: parents, hosts, named rules, backends, conditions on headers, header modifiers. */
final class RouteParts {
  private static final Map<String, StringMatch.Type> VALUE_TYPES = Map.of(
      "Exact", StringMatch.Type.EXACT, "RegularExpression", StringMatch.Type.REGULAR_EXPRESSION);

  private final Meta meta;
  private final Problems problems;

  RouteParts(Meta meta, Problems problems) {
    this.meta = meta;
    this.problems = problems;
  }

  /** @param tolerated the number of errors within rules, which leave hosts, parents and matches standing */
  record Result(HttpRoute route, int tolerated) {}

  /**
   * The route.
   *
   * @param any what a route without rules matches: everything, for which it has no backend
   */
  HttpRoute route(Fields spec, List<Match> any, Function<Fields, Rule> rule) {
    List<ParentRef> parents =
        spec.list("parentRefs", 32, item -> item.<@Nullable ParentRef>object(this::parentRef));
    var hostnames = spec.list("hostnames", 16, Formats::host);
    spec.unsupported("useDefaultGateways");
    var whole = new Rule(null, any, List.of(), List.of(), null, spec.origin());
    var rules = spec.optional("rules", v -> v.list(16, item -> item.object(rule)), List.of(whole));
    var names = new HashSet<String>();
    for (var one : rules) {
      if (one.name() != null && !names.add(one.name())) {
        problems.error(
            one.origin(),
            spec.path() + ".rules",
            "two rules are named \"" + Shown.of(one.name()) + "\"");
      }
    }
    return new HttpRoute(meta, parents, hostnames, rules);
  }

  private @Nullable ParentRef parentRef(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), TargetsReader.GATEWAY_API);
    var kind = fields.optional("kind", v -> v.text(63), "Gateway");
    var ref = new ParentRef(
        fields.optional("namespace", Formats::namespace, meta.namespace()),
        fields.required("name", Formats::name),
        fields.<@Nullable String>optional("sectionName", Formats::name),
        fields.<@Nullable Integer>optional("port", Formats::port),
        fields.origin());
    if (group.equals(TargetsReader.GATEWAY_API) && kind.equals("Gateway")) {
      return ref;
    }
    problems.notice(
        fields.origin(), fields.path(), "a parent that is no Gateway is not Gatehouse's; skipped");
    return null;
  }

  List<BackendRef> backends(Fields rule) {
    return rule.list("backendRefs", 16, item -> item.object(this::backendRef));
  }

  private BackendRef backendRef(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), "");
    var kind = fields.optional("kind", v -> v.text(63), "Service");
    var ref = new ObjectRef(
        group,
        kind,
        fields.optional("namespace", Formats::namespace, meta.namespace()),
        fields.required("name", Formats::name),
        fields.origin());
    var port = fields.<@Nullable Integer>optional("port", Formats::port);
    if (port == null && group.isEmpty() && kind.equals("Service")) {
      fields.error("\"port\" is missing: a Service needs one");
    }
    fields.unsupported("filters");
    return new BackendRef(ref, port, fields.optional("weight", v -> v.integer(0, 1_000_000), 1));
  }

  /** A condition on a header or query parameter. */
  static NamedMatch named(Fields fields, Function<Value, String> name) {
    var type = fields.optional("type", v -> v.oneOf(VALUE_TYPES), StringMatch.Type.EXACT);
    return new NamedMatch(
        fields.required("name", name),
        new StringMatch(
            type,
            fields.required(
                "value",
                v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : v.text())));
  }

  /** The header modifier of a filter, null if it has none. */
  static @Nullable Filter headerModifier(Fields filter) {
    var request = filter.<@Nullable Filter>optional(
        "requestHeaderModifier", v -> v.object(f -> headerModifier(false, f)));
    var response = filter.<@Nullable Filter>optional(
        "responseHeaderModifier", v -> v.object(f -> headerModifier(true, f)));
    return request != null ? request : response;
  }

  private static HeaderModifier headerModifier(boolean response, Fields fields) {
    var set = fields.list("set", 16, item -> item.object(RouteParts::header));
    var add = fields.list("add", 16, item -> item.object(RouteParts::header));
    return new HeaderModifier(
        response, set, add, fields.list("remove", 16, Formats::header), fields.origin());
  }

  private static Header header(Fields fields) {
    return new Header(
        fields.required("name", Formats::header), fields.required("value", Formats::headerValue));
  }

  /** Reports a filter that does not hold what its type names, and nothing else. */
  static void checkType(Fields filter, String type, List<String> supported) {
    if (!supported.contains(type)) {
      if (!type.isEmpty()) {
        filter.error("filter type \"" + Shown.of(type) + "\" is not supported (expected: "
            + String.join(", ", supported.subList(0, supported.size() - 1)) + " or "
            + supported.getLast() + ")");
      }
      return;
    }
    var fields = supported.stream().map(RouteParts::fieldOf).toArray(String[]::new);
    if (!filter.has(fieldOf(type))) {
      filter.error("\"" + fieldOf(type) + "\" is missing: type " + type + " needs it");
    } else if (filter.count(fields) > 1) {
      filter.error("holds more than what its type names (expected: only " + fieldOf(type) + ")");
    }
  }

  /** {@code URLRewrite} stands in {@code urlRewrite}, all others under their name with a small first letter. */
  private static String fieldOf(String type) {
    return type.equals("URLRewrite")
        ? "urlRewrite"
        : Character.toLowerCase(type.charAt(0)) + type.substring(1);
  }

  static void checkOnce(Fields rule, List<Filter> filters) {
    var seen = new HashSet<String>();
    for (var filter : filters) {
      var kind = filter instanceof HeaderModifier m && m.response()
          ? "ResponseHeaderModifier"
          : filter.getClass().getSimpleName();
      if (!seen.add(kind)) {
        rule.error("a filter of one type stands twice; merge them");
      }
    }
  }
}
