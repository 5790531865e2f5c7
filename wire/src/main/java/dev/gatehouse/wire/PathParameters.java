package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Paths that a servlet container takes for a guarded one and Envoy does not: {@code /admin;x} is {@code /admin} to the one, and to the
 * other it belongs to whatever less specific route there is (CVE-2026-73511). Where such a route is guarded otherwise than the one
 * that is meant, or not at all, they are refused. Parameters behind the part of a path that chooses the route are a part of the path.
 */
final class PathParameters {
  private static final String PARAMETERS = "(;|%3[bB])[^/]*";

  /** Alternatives of one expression; Envoy tries one expression after the other. */
  private static final int TOGETHER = 64;

  private final Map<String, Set<String>> prefixes = new HashMap<>();
  private final Set<String> regexes = new HashSet<>();

  private PathParameters(List<OrderedMatches.Entry> entries) {
    for (var entry : entries) {
      var path = entry.condition().path();
      switch (path.type()) {
        case PATH_PREFIX ->
          prefixes
              .computeIfAbsent(OrderedMatches.prefix(path), p -> new HashSet<>())
              .add(guard(entry.rule()));
        case REGULAR_EXPRESSION, DISTINCT -> regexes.add(guard(entry.rule()));
        case EXACT -> {} // takes nothing but itself
      }
    }
  }

  /** Expressions for the paths that are to be refused on a hostname with these matches. */
  static List<String> refused(List<OrderedMatches.Entry> entries) {
    var all = new PathParameters(entries);
    var alternatives = new LinkedHashSet<String>();
    for (var entry : entries) {
      var path = entry.condition().path();
      if (entry.rule().guarded()
          && (path.type() == StringMatch.Type.EXACT || path.type() == StringMatch.Type.PATH_PREFIX)
          && all.othersTake(path, guard(entry.rule()))) {
        alternatives.addAll(spellings(path));
      }
    }
    var expressions = new ArrayList<String>();
    var list = List.copyOf(alternatives);
    for (int i = 0; i < list.size(); i += TOGETHER) {
      expressions.add(String.join("|", list.subList(i, Math.min(i + TOGETHER, list.size()))));
    }
    return expressions;
  }

  /** Whether a route with another guard takes paths that are this one but for parameters. */
  private boolean othersTake(StringMatch path, String guard) {
    var value = OrderedMatches.prefix(path);
    for (int end = value.lastIndexOf('/'); end >= 0; end = value.lastIndexOf('/', end - 1)) {
      if (otherThan(guard, prefixes.getOrDefault(value.substring(0, end), Set.of()))) {
        return true;
      }
    }
    return otherThan(guard, regexes);
  }

  private static boolean otherThan(String guard, Set<String> guards) {
    return guards.size() > 1 || (guards.size() == 1 && !guards.contains(guard));
  }

  /** One for each element that may be the first to have parameters. */
  private static List<String> spellings(StringMatch path) {
    var value = OrderedMatches.prefix(path);
    var elements =
        value.isEmpty() ? List.<String>of() : List.of(value.substring(1).split("/", -1));
    var below = path.type() == StringMatch.Type.PATH_PREFIX ? "(/.*)?" : "/?";
    var spellings = new ArrayList<String>();
    for (int first = 0; first < elements.size(); first++) {
      var before = elements.subList(0, first + 1).stream()
          .map(e -> "/" + Filters.quote(e))
          .collect(Collectors.joining());
      var behind = elements.subList(first + 1, elements.size()).stream()
          .map(e -> "/" + Filters.quote(e) + "(" + PARAMETERS + ")?")
          .collect(Collectors.joining());
      spellings.add(before + PARAMETERS + behind + below);
    }
    return spellings;
  }

  private static String guard(AttachedRule rule) {
    if (!rule.guarded()) {
      return "";
    }
    return switch (rule.security()) {
      case Attachment.Of<SecurityPolicy>(var policy) -> policy.meta().id();
      case Attachment.Rejected<SecurityPolicy>(var meta) -> "rejected " + meta.id();
      case Attachment.None<SecurityPolicy> _ -> "";
    };
  }
}
