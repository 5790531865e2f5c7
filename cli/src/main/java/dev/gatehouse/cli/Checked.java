package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthz;
import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.wire.EnvoyConfig;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Policies with all that reading, attaching, the services' compilers and {@code wire} say of them. The services are made as they
 * are to serve, and closed again: what lint accepts is what serves.
 */
record Checked(List<AttachedRule> rules, List<Problem> problems) {
  static Checked folders(List<Path> folders) {
    var loops = EventLoops.start(1);
    try (var policies = PolicySource.folders(folders, false)) {
      var context = new ServiceContext(
          loops, new PrometheusRegistry(), DecisionListener.NONE, InstantSource.system());
      var services = List.of(
          ExtAuthz.create(policies, ExtAuthzSettings.defaults(), context),
          RateLimit.create(policies, RateLimitSettings.defaults(), context),
          ExtProc.create(policies, ExtProcSettings.defaults(), context));
      var load = policies.start();
      var wired = new Problems();
      EnvoyConfig.of(load.policies(), WireCommand.LOCAL, wired);
      services.forEach(Service::close);
      return new Checked(load.policies().rules(), sorted(load.problems(), wired.all()));
    } finally {
      loops.close();
    }
  }

  private static List<Problem> sorted(List<Problem> loaded, List<Problem> wired) {
    return Stream.concat(loaded.stream(), wired.stream())
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
