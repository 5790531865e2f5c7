package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the descriptor tree of envoyproxy/ratelimit's configuration, and says what the reference would refuse to load. */
public final class ConfigCompiler {
  private final Defaults defaults;
  private final boolean mergeDomains;
  private final Problems problems;
  private final LimitTree.Builder tree;
  private final Map<String, DomainConfig> domains = new HashMap<>();

  /** The keys and values of the descriptors so far, by domain and path. */
  private final Map<List<Object>, Set<Step>> siblings = new HashMap<>();

  private ConfigCompiler(Defaults defaults, boolean mergeDomains, Problems problems) {
    this.defaults = defaults;
    this.mergeDomains = mergeDomains;
    this.problems = problems;
    this.tree = new LimitTree.Builder(defaults);
  }

  /**
   * @param mergeDomains several files may say parts of one domain ({@code MERGE_DOMAIN_CONFIG})
   * @param problems gets all that is wrong; the tree is of use only if there is no error among it
   */
  public static LimitTree compile(
      List<DomainConfig> configs, Defaults defaults, boolean mergeDomains, Problems problems) {
    var compiler = new ConfigCompiler(defaults, mergeDomains, problems);
    configs.forEach(compiler::add);
    return compiler.tree.build();
  }

  private void add(DomainConfig config) {
    if (config.domain().isEmpty()) {
      problems.error(config.origin(), "domain", "is missing or empty: every configuration has one");
      return;
    }
    var before = domains.putIfAbsent(config.domain(), config);
    if (before != null && !mergeDomains) {
      problems.error(
          config.origin(),
          "domain",
          "\"" + config.domain() + "\" is in " + before.name()
              + " already; write one configuration, or let several be merged with MERGE_DOMAIN_CONFIG=true");
      return;
    }
    tree.domain(config.domain());
    addAll(config.domain(), List.of(), config.descriptors(), "descriptors");
  }

  private void addAll(
      String domain, List<Step> path, List<DescriptorConfig> descriptors, String at) {
    for (int i = 0; i < descriptors.size(); i++) {
      add(domain, path, descriptors.get(i), at + "[" + i + "]");
    }
  }

  private void add(String domain, List<Step> parent, DescriptorConfig descriptor, String at) {
    if (descriptor.key().isEmpty()) {
      problems.error(descriptor.origin(), at + ".key", "is missing or empty");
      return;
    }
    var step = step(descriptor, at);
    var twin = new Step(step.key(), step.value());
    if (!siblings.computeIfAbsent(List.of(domain, parent), p -> new HashSet<>()).add(twin)) {
      problems.error(
          descriptor.origin(),
          at,
          "duplicate of another descriptor of this level: key \"" + descriptor.key() + "\""
              + (descriptor.value().isEmpty() ? "" : ", value \"" + descriptor.value() + "\""));
      return;
    }
    var path = new ArrayList<>(parent);
    path.add(step);
    tree.level(domain, path);
    if (descriptor.limit() != null) {
      addLimit(domain, path, descriptor, descriptor.limit(), at + ".rate_limit");
    }
    addAll(domain, List.copyOf(path), descriptor.descriptors(), at + ".descriptors");
  }

  private Step step(DescriptorConfig descriptor, String at) {
    boolean wildcard = descriptor.value().indexOf('*') >= 0;
    if (descriptor.shareThreshold() && !wildcard) {
      problems.error(
          descriptor.origin(),
          at + ".share_threshold",
          "needs a value with * in it: values that match it share one counter");
    }
    return new Step(
        descriptor.key(),
        descriptor.value().isEmpty() ? null : descriptor.value(),
        wildcard,
        descriptor.shareThreshold() && wildcard,
        descriptor.valueToMetric());
  }

  private void addLimit(
      String domain, List<Step> path, DescriptorConfig descriptor, LimitConfig limit, String at) {
    int before = problems.errors();
    checkReplaces(limit, at);
    var window = window(limit, at);
    if (limit.requestsPerUnit() < 0 || limit.requestsPerUnit() > Limit.Terms.MAX_REQUESTS) {
      problems.error(
          limit.origin(),
          at + ".requests_per_unit",
          "value: " + limit.requestsPerUnit() + " (expected: 0 to " + Limit.Terms.MAX_REQUESTS
              + ")");
    }
    if (problems.errors() > before) {
      return;
    }
    var terms = defaults
        .terms(limit.requestsPerUnit(), window, origin(limit.origin(), domain))
        .name(limit.name())
        .unlimited(limit.unlimited())
        .shadow(descriptor.shadowMode())
        .quota(descriptor.quotaMode() || defaults.quota())
        .replaces(limit.replaces())
        .metadata(descriptor.metadata());
    if (setAlgorithm(terms, limit, window, at)) {
      tree.limit(domain, path, terms.build(), descriptor.detailedMetric());
    }
  }

  private void checkReplaces(LimitConfig limit, String at) {
    for (int i = 0; i < limit.replaces().size(); i++) {
      var name = limit.replaces().get(i);
      if (name.isEmpty()) {
        problems.error(limit.origin(), at + ".replaces[" + i + "].name", "is missing or empty");
      } else if (name.equals(limit.name())) {
        problems.error(
            limit.origin(),
            at + ".replaces[" + i + "].name",
            "\"" + name + "\" is the limit itself");
      }
    }
  }

  /** What {@code unlimited} has no need of. */
  private Window window(LimitConfig limit, String at) {
    var unit = limit.unit();
    if (limit.unlimited()) {
      if (unit != null) {
        problems.error(
            limit.origin(),
            at + ".unit",
            "means nothing beside unlimited: true; remove one of them");
      }
      return Window.of(Unit.SECOND);
    }
    if (unit == null) {
      problems.error(
          limit.origin(),
          at + ".unit",
          "is missing (expected: second, minute, hour, day, week, month or year)");
      return Window.of(Unit.SECOND);
    }
    if (!Window.fits(unit, limit.unitMultiplier())) {
      problems.error(
          limit.origin(),
          at + ".unit_multiplier",
          "value: " + limit.unitMultiplier() + " (expected: 1 or more, and no window above "
              + Window.MAX_YEARS + " years)");
      return Window.of(unit);
    }
    return Window.of(unit, limit.unitMultiplier());
  }

  private boolean setAlgorithm(
      Limit.Terms.Builder terms, LimitConfig limit, Window window, String at) {
    var algorithm = limit.algorithm() == null ? defaults.algorithm() : limit.algorithm();
    var burst = limit.burst();
    if (burst == null) {
      terms.algorithm(
          algorithm, Limit.Terms.burst(limit.requestsPerUnit(), window, limit.requestsPerUnit()));
      return true;
    }
    if (algorithm != Algorithm.TOKEN_BUCKET) {
      problems.error(
          limit.origin(), at + ".burst", "means something to algorithm: token_bucket only");
      return false;
    }
    if (!Limit.Terms.burstFits(limit.requestsPerUnit(), window, burst)) {
      problems.error(
          limit.origin(),
          at + ".burst",
          "value: " + burst + " (expected: 1 to "
              + Limit.Terms.burst(limit.requestsPerUnit(), window, Long.MAX_VALUE)
              + " for this limit)");
      return false;
    }
    terms.algorithm(algorithm, burst);
    return true;
  }

  private static String origin(Origin origin, String domain) {
    return origin.file().isEmpty() ? domain : origin.file();
  }
}
