package dev.gatehouse.ratelimit.descriptor;

import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import io.envoyproxy.envoy.type.v3.RateLimitUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All limits by domain and descriptor, as envoyproxy/ratelimit nests them: of an entry's key and value the exact pair is looked for, then
 * the first wildcard that matches, then the key alone, and there is no way back from a branch once taken; a limit holds where the descriptor
 * ends. Immutable.
 */
public final class LimitTree {
  public static final LimitTree EMPTY = new Builder().build();

  private final Map<String, Domain> domains;
  private final Match noDomain;

  private LimitTree(Map<String, Domain> domains, Match noDomain) {
    this.domains = domains;
    this.noDomain = noDomain;
  }

  public Match match(String domainName, RateLimitDescriptor descriptor) {
    var domain = domains.get(domainName);
    if (domain == null) {
      return noDomain;
    }
    var match = match(domain.root, domainName, descriptor.getEntriesList());
    return descriptor.hasLimit() ? overridden(match, domain, domainName, descriptor) : match;
  }

  private static Match match(Node root, String domain, List<Entry> entries) {
    var node = root;
    String subject = null;
    boolean metricOfItsOwn = false;
    for (int i = 0; i < entries.size(); i++) {
      var entry = entries.get(i);
      var next = node.next(entry);
      if (next == null) {
        return Match.Unknown.DESCRIPTOR;
      }
      if (next.refused != null) {
        return next.refused;
      }
      if (next.countsEachValue(entry)) {
        subject = Subject.with(subject, entry.getValue());
      }
      metricOfItsOwn |= next.valueToMetric;
      node = next;
    }
    var limited = node.limited;
    if (limited == null) {
      return Match.Unlimited.UNLIMITED;
    }
    if (metricOfItsOwn || node.detailedMetric) {
      var metric = Metric.of(root, domain, entries, node.detailedMetric);
      return new Match.Limited(limited.limit(), subject == null ? "" : subject, metric);
    }
    return subject == null
        ? limited
        : new Match.Limited(limited.limit(), subject, limited.metric());
  }

  /**
   * An override holds whether the tree knows the descriptor or not, but for a policy that cannot be honoured. In the same window it counts
   * on the counter of the limit that it stands for, as envoyproxy/ratelimit does, unless other values share that.
   */
  private static Match overridden(
      Match match, Domain domain, String name, RateLimitDescriptor descriptor) {
    var unit = unit(descriptor.getLimit().getUnit());
    if (unit == null || match instanceof Match.Refused) {
      return match;
    }
    long requests = Integer.toUnsignedLong(descriptor.getLimit().getRequestsPerUnit());
    if (match instanceof Match.Limited(var limit, var subject, var metric)
        && limit.terms().overridable()) {
      return new Match.Limited(
          limit.overridden(requests, domain.window(unit, limit)), subject, metric);
    }
    var own = domain.override.overridden(requests, domain.window(unit, domain.override));
    var ownMetric = Metric.ofEntries(name, descriptor.getEntriesList());
    if (match instanceof Match.Limited(var limit, var subject, var _)
        && limit.algorithm() == own.algorithm()
        && !limit.shared()) {
      return new Match.Limited(own.withCountersOf(limit), subject, ownMetric);
    }
    String subject = null;
    for (var entry : descriptor.getEntriesList()) {
      subject = Subject.with(Subject.with(subject, entry.getKey()), entry.getValue());
    }
    return new Match.Limited(own, subject == null ? "" : subject, ownMetric);
  }

  private static @Nullable Unit unit(RateLimitUnit unit) {
    return switch (unit) {
      case SECOND -> Unit.SECOND;
      case MINUTE -> Unit.MINUTE;
      case HOUR -> Unit.HOUR;
      case DAY -> Unit.DAY;
      case MONTH -> Unit.MONTH;
      case YEAR -> Unit.YEAR;
      case UNKNOWN, UNRECOGNIZED -> null;
    };
  }

  /** Puts a tree together; every reader (policies, YAML, xDS) does so here. Not thread-safe. */
  public static final class Builder {
    private final Defaults defaults;
    private final Map<String, Domain> domains = new HashMap<>();
    private Match noDomain = Match.Unknown.DOMAIN;

    public Builder() {
      this(Defaults.REFERENCE);
    }

    /** @param defaults of limits that only a request's override makes */
    public Builder(Defaults defaults) {
      this.defaults = defaults;
    }

    /** A domain without any limit, whose descriptors may bring limits of their own. */
    public Builder domain(String name) {
      root(name);
      return this;
    }

    /** @return false if there is a limit at the end of that path already, which then stays */
    public boolean limit(String domain, List<Step> path, Limit.Terms terms) {
      return limit(domain, path, terms, false);
    }

    /** @param detailedMetric the statistics tell every value of the request ({@code detailed_metric}) */
    public boolean limit(
        String domain, List<Step> path, Limit.Terms terms, boolean detailedMetric) {
      return limit(node(domain, path), Limit.of(domain, path, terms), detailedMetric);
    }

    /** A limit that counts on the counters of the limit at another path, and bears its name in the statistics. */
    boolean sameCounters(String domain, List<Step> path, List<Step> other, Limit.Terms terms) {
      return limit(node(domain, path), Limit.of(domain, other, terms), false);
    }

    private static boolean limit(Node node, Limit limit, boolean detailedMetric) {
      if (node.limited != null) {
        return false;
      }
      node.limited = new Match.Limited(limit, "", limit.metric());
      node.detailedMetric = detailedMetric;
      return true;
    }

    /** A level that nothing limits by itself: descriptors that end there are known. */
    public void level(String domain, List<Step> path) {
      node(domain, path);
    }

    /** Every descriptor that begins with that path is refused: a policy that cannot be honoured stands there. */
    public void refuse(String domain, List<Step> path, String origin) {
      node(domain, path).refused = new Match.Refused(origin);
    }

    /** Takes over the domains of another tree. @throws IllegalArgumentException if one is here already: whoever joins trees checks it */
    public Builder add(LimitTree other) {
      other.domains.forEach((name, domain) -> {
        if (domains.putIfAbsent(name, domain) != null) {
          throw new IllegalArgumentException("two definitions of the domain " + name);
        }
      });
      return this;
    }

    /** A configuration is still to come: what the tree does not know may be in it. */
    public Builder incomplete() {
      noDomain = Match.NotLoaded.NOT_LOADED;
      return this;
    }

    public LimitTree build() {
      return new LimitTree(Map.copyOf(domains), noDomain);
    }

    private Node node(String domain, List<Step> path) {
      var node = root(domain);
      for (var step : path) {
        node = node.branch(step.key()).child(step);
      }
      return node;
    }

    private Node root(String domain) {
      return domains.computeIfAbsent(domain, name -> new Domain(name, defaults)).root;
    }
  }

  public Set<String> domains() {
    return domains.keySet();
  }

  /** All limits, in no order: for what shows them to people. */
  public List<Limit> limits() {
    var all = new ArrayList<Limit>();
    domains.values().forEach(domain -> domain.root.addTo(all));
    return all;
  }

  private static final class Domain {
    final Node root = new Node(new Step("", null));

    /** What a request's own limit becomes; each of its descriptors counts by itself. */
    final Limit override;

    private final EnumMap<Unit, Window> windows = new EnumMap<>(Unit.class);

    Domain(String name, Defaults defaults) {
      this.override = Limit.of(
          name,
          List.of(),
          defaults.terms(0, Window.of(Unit.SECOND), "an override of " + name).build());
      for (var unit : Unit.values()) {
        windows.put(unit, defaults.window(Window.of(unit)));
      }
    }

    /** The limit's own window if its unit is meant, else one of the unit. */
    Window window(Unit unit, Limit limit) {
      if (limit != override && limit.window().unit() == unit) {
        return limit.window();
      }
      return Objects.requireNonNull(windows.get(unit));
    }
  }

  static final class Node {
    final Step step;
    final boolean valueToMetric;
    private final boolean any;
    private final boolean wildcard;
    private final Children<Branch> branches = new Children<>();
    boolean detailedMetric;

    Match.@Nullable Limited limited;

    Match.@Nullable Refused refused;

    Node(Step step) {
      this.step = step;
      this.valueToMetric = step.valueToMetric();
      this.any = step.value() == null;
      this.wildcard = step.wildcard() && !step.shared();
    }

    private Branch branch(String key) {
      var before = branches.get(key);
      if (before != null) {
        return before;
      }
      var branch = new Branch();
      branches.put(key, branch);
      return branch;
    }

    @Nullable
    Node next(Entry entry) {
      var branch = branches.get(entry.getKey());
      return branch == null ? null : branch.find(entry.getValue());
    }

    /** Whether the values that lead here have a counter each; the level's own text, taken literally, is none of them. */
    boolean countsEachValue(Entry entry) {
      return any || (wildcard && !entry.getValue().equals(step.value()));
    }

    void addTo(List<Limit> all) {
      if (limited != null) {
        all.add(limited.limit());
      }
      branches.values().forEach(branch -> branch.addTo(all));
    }
  }

  /** The children of one key. */
  private static final class Branch {
    final Children<Node> byValue = new Children<>();
    final List<Pattern> wildcards = new ArrayList<>(0);

    @Nullable
    Node any;

    @Nullable
    Node find(String value) {
      var exact = byValue.get(value);
      if (exact != null) {
        return exact;
      }
      for (int i = 0; i < wildcards.size(); i++) {
        var pattern = wildcards.get(i);
        if (pattern.wildcard.matches(value)) {
          return pattern.node;
        }
      }
      return any;
    }

    Node child(Step step) {
      var value = step.value();
      if (value == null) {
        if (any == null) {
          any = new Node(step);
        }
        return any;
      }
      var before = byValue.get(value);
      if (before != null) {
        return before;
      }
      var node = new Node(step);
      byValue.put(value, node);
      if (step.wildcard()) {
        wildcards.add(new Pattern(new Wildcard(value), node));
      }
      return node;
    }

    void addTo(List<Limit> all) {
      byValue.values().forEach(node -> node.addTo(all));
      if (any != null) {
        any.addTo(all);
      }
    }
  }

  private record Pattern(Wildcard wildcard, Node node) {}
}
