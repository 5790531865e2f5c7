package dev.gatehouse.ratelimit.descriptor;

import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All limits by domain and descriptor, as envoyproxy/ratelimit nests them: of an entry's key and value the exact pair is looked for, then
 * the key alone, and there is no way back from a branch once taken; a limit holds where the descriptor ends. Immutable.
 */
public final class LimitTree {
  public static final LimitTree EMPTY = new Builder().build();

  private final Map<String, Node> domains;

  private LimitTree(Map<String, Node> domains) {
    this.domains = domains;
  }

  public Match match(String domain, List<RateLimitDescriptor.Entry> entries) {
    var node = domains.get(domain);
    String subject = null;
    for (int i = 0; node != null && i < entries.size(); i++) {
      var entry = entries.get(i);
      var branch = node.branches.get(entry.getKey());
      if (branch == null) {
        return Match.Unknown.UNKNOWN;
      }
      node = branch.byValue.get(entry.getValue());
      if (node == null) {
        node = branch.any;
        subject = Subject.with(subject, entry.getValue());
      }
      if (node != null && node.refused != null) {
        return node.refused;
      }
    }
    if (node == null) {
      return Match.Unknown.UNKNOWN;
    }
    return node.limit == null
        ? Match.Unlimited.UNLIMITED
        : new Match.Limited(node.limit, subject == null ? "" : subject);
  }

  /** Puts a tree together; every reader (policies, YAML, xDS) does so here. Not thread-safe. */
  public static final class Builder {
    private final Map<String, Node> domains = new HashMap<>();

    /** @return false if there is a limit at the end of that path already, which then stays */
    public boolean limit(String domain, List<Step> path, Limit.Terms terms) {
      var node = node(domain, path);
      if (node.limit != null) {
        return false;
      }
      node.limit = Limit.of(domain, path, terms);
      return true;
    }

    /** Every descriptor that begins with that path is refused: a policy that cannot be honoured stands there. */
    public void refuse(String domain, List<Step> path, String origin) {
      node(domain, path).refused = new Match.Refused(origin);
    }

    public LimitTree build() {
      return new LimitTree(Map.copyOf(domains));
    }

    private Node node(String domain, List<Step> path) {
      var node = domains.computeIfAbsent(domain, d -> new Node());
      for (var step : path) {
        node = node.branches.computeIfAbsent(step.key(), k -> new Branch()).child(step.value());
      }
      return node;
    }
  }

  /** All limits, in no order: for what shows them to people. */
  public List<Limit> limits() {
    var all = new ArrayList<Limit>();
    domains.values().forEach(node -> node.addTo(all));
    return all;
  }

  private static final class Node {
    final Map<String, Branch> branches = new HashMap<>(4);

    @Nullable
    Limit limit;

    Match.@Nullable Refused refused;

    void addTo(List<Limit> all) {
      if (limit != null) {
        all.add(limit);
      }
      branches.values().forEach(branch -> branch.addTo(all));
    }
  }

  /** The children of one key. */
  private static final class Branch {
    final Map<String, Node> byValue = new HashMap<>(2);

    @Nullable
    Node any;

    Node child(@Nullable String value) {
      if (value != null) {
        return byValue.computeIfAbsent(value, v -> new Node());
      }
      if (any == null) {
        any = new Node();
      }
      return any;
    }

    void addTo(List<Limit> all) {
      byValue.values().forEach(node -> node.addTo(all));
      if (any != null) {
        any.addTo(all);
      }
    }
  }
}
