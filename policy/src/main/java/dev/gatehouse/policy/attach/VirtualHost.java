package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.attach.Conditions.Holds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The routes of one hostname, found by path: exact paths and prefixes by hash, regular expressions one by one, in {@link OrderedMatches}'
 * order. A GRPCRoute's method of any service is tried where the root's prefix is, before it.
 */
final class VirtualHost<P> {
  private record Entry<P>(Conditions conditions, Lookup<P> result) {}

  /** @param shorter the next shorter prefix that has routes */
  private record Prefix<P>(List<Entry<P>> entries, @Nullable Prefix<P> shorter) {}

  private final Regions<List<Entry<P>>> exact;
  private final List<Entry<P>> regexes;
  private final Regions<Prefix<P>> prefixes;
  private final Lookup<P> unsure;

  VirtualHost(
      List<AttachedRule> rules, Function<OrderedMatches.Entry, Lookup<P>> plan, Lookup<P> unsure) {
    var exact = new HashMap<String, List<Entry<P>>>();
    var regexes = new ArrayList<Entry<P>>();
    var prefixes = new HashMap<String, List<Entry<P>>>();
    for (var entry : OrderedMatches.of(rules)) {
      var path = entry.condition().path();
      var own = new Entry<>(Conditions.of(entry.condition()), plan.apply(entry));
      switch (path.type()) {
        case EXACT ->
          exact.computeIfAbsent(path.value(), p -> new ArrayList<>()).add(own);
        case REGULAR_EXPRESSION, DISTINCT -> {
          if (OrderedMatches.ofAnyService(entry.condition())) {
            prefixes.computeIfAbsent("", p -> new ArrayList<>()).add(own);
          } else {
            regexes.add(own);
          }
        }
        case PATH_PREFIX ->
          prefixes
              .computeIfAbsent(OrderedMatches.prefix(path), p -> new ArrayList<>())
              .add(own);
      }
    }
    this.exact = new Regions<>(exact);
    this.regexes = List.copyOf(regexes);
    this.prefixes = new Regions<>(chained(prefixes));
    this.unsure = unsure;
  }

  /** Null when no route matches; {@code unsure} when it depends on something that Envoy may see otherwise. */
  @Nullable
  Lookup<P> find(RoutedRequest request, String target, int pathEnd) {
    var entries = exact.get(target, 0, pathEnd);
    var found = entries == null ? null : first(entries, request, target, pathEnd);
    if (found == null) {
      found = first(regexes, request, target, pathEnd);
    }
    for (var p = longestPrefix(target, pathEnd); found == null && p != null; p = p.shorter) {
      found = first(p.entries, request, target, pathEnd);
    }
    return found;
  }

  private @Nullable Lookup<P> first(
      List<Entry<P>> entries, RoutedRequest request, String target, int pathEnd) {
    for (int i = 0; i < entries.size(); i++) {
      var entry = entries.get(i);
      var holds = entry.conditions.hold(request, target, pathEnd);
      if (holds != Holds.NO) {
        return holds == Holds.YES ? entry.result : unsure;
      }
    }
    return null;
  }

  private @Nullable Prefix<P> longestPrefix(String target, int pathEnd) {
    Prefix<P> longest = null;
    int hash = 0;
    for (int i = 0; i <= pathEnd; i++) {
      if (i == pathEnd || target.charAt(i) == '/') {
        var prefix = prefixes.get(target, 0, i, hash);
        longest = prefix == null ? longest : prefix;
      }
      if (i < pathEnd) {
        hash = Regions.step(hash, target.charAt(i));
      }
    }
    return longest;
  }

  private static <P> Map<String, Prefix<P>> chained(Map<String, List<Entry<P>>> prefixes) {
    var chained = new HashMap<String, Prefix<P>>();
    prefixes.keySet().stream().sorted().forEach(prefix -> {
      Prefix<P> shorter = null;
      for (int end = prefix.lastIndexOf('/'); shorter == null && end >= 0; ) {
        shorter = chained.get(prefix.substring(0, end));
        end = prefix.lastIndexOf('/', end - 1);
      }
      var entries = prefixes.getOrDefault(prefix, List.of());
      chained.put(prefix, new Prefix<>(List.copyOf(entries), shorter));
    });
    return chained;
  }
}
