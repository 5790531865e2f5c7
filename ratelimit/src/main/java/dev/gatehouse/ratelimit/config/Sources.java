package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.policy.source.PlanCompiler;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies' limits and those of one configuration beside them (YAML or xDS), joined into the one tree that requests are asked
 * of. Of each the last good one stays in force when a bad one comes. A domain is defined by one of them only: whichever comes
 * second is refused.
 *
 * <p>Who serves makes this of the policies, {@code RateLimit} of this, and then starts {@code YamlSource} or {@code XdsSource}, if
 * any, which gives it what it finds. A configuration that was refused is tried again when the policies change: a control plane would not send it once more.
 */
public final class Sources {
  private static final Logger LOG = LoggerFactory.getLogger(Sources.class);

  private final Defaults defaults;
  private final boolean mergeDomains;
  private final List<ConfigListener> listeners = new CopyOnWriteArrayList<>();
  private final CompletableFuture<Void> firstCame = new CompletableFuture<>();
  private final Live<LimitTree> policies;
  private final Live<LimitTree> joined;

  private LimitTree config = LimitTree.EMPTY;
  private Map<String, String> names = Map.of();
  private @Nullable List<DomainConfig> refused;
  private volatile boolean configured;
  private volatile boolean loaded;

  private Sources(PolicySource policies, Defaults defaults, boolean mergeDomains) {
    this.defaults = defaults;
    this.mergeDomains = mergeDomains;
    this.policies = policies.live(new Compiler(new LimitTreeCompiler(defaults)));
    this.joined = new Live<>(this.policies.current());
  }

  /**
   * Registers with the policies; to be called before {@link PolicySource#start}.
   *
   * @param defaults of limits that do not say how they count
   * @param mergeDomains several configurations may say parts of one domain ({@code MERGE_DOMAIN_CONFIG})
   */
  public static Sources of(PolicySource policies, Defaults defaults, boolean mergeDomains) {
    var sources = new Sources(policies, defaults, mergeDomains);
    policies.onLoad(reload -> sources.policiesChanged());
    return sources;
  }

  /** What requests are asked of. */
  public Live<LimitTree> live() {
    return joined;
  }

  /**
   * A configuration is to come, and the log will tell of it: until one is in force, domains that no policy has are answered with an error, as
   * envoyproxy/ratelimit answers.
   */
  public synchronized void expectConfig() {
    if (!configured) {
      configured = true;
      listen(new ConfigLog());
    }
    join();
  }

  public void listen(ConfigListener listener) {
    listeners.add(listener);
  }

  /** Done when the first configuration has come, good or bad; without {@code FORCE_START_WITHOUT_INITIAL_CONFIG} a service waits for it. */
  public CompletionStage<Void> firstCame() {
    return firstCame.minimalCompletionStage();
  }

  /** What of the policies decides whether a configuration is refused: another object when it may be taken now. */
  public Object policies() {
    return policies.current();
  }

  /** Whether a configuration is in force, or none is expected. */
  public boolean loaded() {
    return loaded || !configured;
  }

  /** Whether there is a domain in the configuration in force ({@code HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED}). */
  public synchronized boolean hasDomains() {
    return !config.domains().isEmpty();
  }

  /**
   * Puts a configuration in force, if nothing is wrong with it.
   *
   * @param problems of reading it
   * @return the errors; none if it is in force
   */
  public synchronized List<Problem> offer(List<DomainConfig> configs, Problems problems) {
    boolean readable = !problems.hasErrors();
    var tree = compile(configs, problems);
    var errors = problems.all().stream().filter(Sources::isError).toList();
    if (errors.isEmpty()) {
      config = tree;
      names = names(configs);
      refused = null;
      loaded = true;
      join();
      tell(listener -> listener.inForce(tree, problems.all()));
    } else {
      refused = readable ? List.copyOf(configs) : null;
      tell(listener -> listener.refused(errors));
    }
    firstCame.complete(null);
    return errors;
  }

  /** A fault of ours leaves the last good one in force. */
  private LimitTree compile(List<DomainConfig> configs, Problems problems) {
    try {
      var tree = ConfigCompiler.compile(configs, defaults, mergeDomains, problems);
      for (var config : configs) {
        if (policies.current().domains().contains(config.domain())) {
          problems.error(
              config.origin(),
              "domain",
              "\"" + config.domain() + "\" is a domain of the policies too"
                  + " (Gateway listeners give theirs); a domain has one source");
        }
      }
      return tree;
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("The configuration could not be compiled", e);
      problems.error(
          Origin.NONE,
          "",
          "the configuration could not be compiled (" + e.getClass().getSimpleName()
              + ", a fault of Gatehouse; the log has more)");
      return LimitTree.EMPTY;
    }
  }

  private static Map<String, String> names(List<DomainConfig> configs) {
    var names = new HashMap<String, String>();
    configs.forEach(config -> names.putIfAbsent(config.domain(), config.name()));
    return names;
  }

  private synchronized void policiesChanged() {
    var again = refused;
    if (again == null) {
      join();
      return;
    }
    join();
    var problems = new Problems();
    compile(again, problems);
    if (!problems.hasErrors()) {
      offer(again, new Problems());
    }
  }

  private void join() {
    var both =
        policies.current().domains().stream().filter(config.domains()::contains).toList();
    if (!both.isEmpty()) {
      LOG.error(
          "the policies and the configuration define the same domains, {}: both stay as they were",
          both);
      return;
    }
    var tree = new LimitTree.Builder(defaults).add(policies.current()).add(config);
    joined.swap(loaded() ? tree.build() : tree.incomplete().build());
  }

  private static boolean isError(Problem problem) {
    return problem.severity() == Severity.ERROR;
  }

  private void tell(Consumer<ConfigListener> event) {
    for (var listener : listeners) {
      try {
        event.accept(listener);
      } catch (RuntimeException e) {
        LOG.error("A listener of the configuration failed", e);
      }
    }
  }

  /** The policies' compiler, which refuses a domain that the configuration in force has. */
  private final class Compiler implements PlanCompiler<LimitTree> {
    private final LimitTreeCompiler compiler;

    Compiler(LimitTreeCompiler compiler) {
      this.compiler = compiler;
    }

    @Override
    public LimitTree compile(PolicySet set, @Nullable LimitTree previous, Problems problems) {
      var tree = compiler.compile(set, previous, problems);
      synchronized (Sources.this) {
        for (var domain : tree.domains()) {
          if (names.containsKey(domain)) {
            problems.error(
                Origin.NONE,
                "",
                "the domain \"" + domain + "\" of the policies is in the configuration "
                    + names.get(domain) + " too; a domain has one source");
          }
        }
      }
      return tree;
    }
  }
}
