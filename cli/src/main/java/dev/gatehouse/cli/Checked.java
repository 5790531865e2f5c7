package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthz;
import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Front;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.policy.source.Reload;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.ratelimit.config.yaml.YamlSource;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.wire.BodyNotices;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.envoygateway.ExtensionLint;
import dev.gatehouse.wire.envoygateway.ServiceRef;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Policies with all that reading, attaching, the services' compilers and {@code wire} say of them. The services are made as they
 * are to serve, and closed again: what lint accepts is what serves.
 */
record Checked(List<AttachedRule> rules, List<Problem> problems) {
  /**
   * Configuration of envoyproxy/ratelimit beside the policies.
   *
   * @param mergeDomains as {@code MERGE_DOMAIN_CONFIG}
   */
  record Config(Path folder, boolean mergeDomains) {}

  /** @param extProc the Service that ext-proc is behind Envoy Gateway; null: known by its name */
  record Gateway(Front front, @Nullable ServiceRef extProc) {
    static final Gateway ENVOY = new Gateway(Front.ENVOY, null);
  }

  static Checked folders(List<Path> folders) {
    return folders(folders, null, Gateway.ENVOY);
  }

  static Checked folders(List<Path> folders, @Nullable Config config, Gateway gateway) {
    var configured = new Problems();
    var merges = config != null && config.mergeDomains;
    var load = load(folders, gateway.front, merges, sources -> {
      if (config != null) {
        // Dot-files lie about beside what is meant: an editor's, a mount's.
        sources.offer(YamlSource.read(config.folder, true, configured), configured);
      }
    });
    var wired = new Problems();
    if (gateway.front == Front.ENVOY) {
      EnvoyConfig.of(load.policies(), WireCommand.LOCAL, wired);
    }
    BodyNotices.check(load.policies(), wired);
    ExtensionLint.check(
        load.policies(), gateway.extProc, gateway.front == Front.ENVOY_GATEWAY, wired);
    return new Checked(
        load.policies().rules(), sorted(List.of(load.problems(), wired.all(), configured.all())));
  }

  /** What the services would have in force, and all that they say of it. */
  static Reload load(List<Path> folders, Front front) {
    return load(folders, front, false, sources -> {});
  }

  private static Reload load(
      List<Path> folders, Front front, boolean mergeDomains, Consumer<Sources> also) {
    var loops = EventLoops.start(1);
    try (var policies = PolicySource.folders(folders, false, front)) {
      var context = new ServiceContext(
          loops, new PrometheusRegistry(), DecisionListener.NONE, InstantSource.system());
      var settings = RateLimitSettings.defaults();
      var sources = Sources.of(policies, settings.limits(), mergeDomains);
      var services = List.of(
          ExtAuthz.create(policies, ExtAuthzSettings.defaults(), context),
          RateLimit.create(sources, settings, context),
          ExtProc.create(policies, ExtProcSettings.defaults(), context));
      var load = policies.start();
      also.accept(sources);
      services.forEach(Service::close);
      return load;
    } finally {
      loops.close();
    }
  }

  private static List<Problem> sorted(List<List<Problem>> problems) {
    return problems.stream()
        .flatMap(List::stream)
        .sorted(Comparator.<Problem, String>comparing(p -> p.origin().file())
            .thenComparingInt(p -> p.origin().line())
            .thenComparingInt(p -> p.origin().column()))
        .distinct()
        .toList();
  }

  long count(Problem.Severity severity) {
    return problems.stream().filter(p -> p.severity() == severity).count();
  }

  /** The rules that ask ext-authz nothing. */
  List<AttachedRule> open() {
    return rules.stream().filter(rule -> !rule.guarded()).toList();
  }
}
