package dev.gatehouse.cli.explain;

import dev.gatehouse.authz.ExtAuthz;
import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.ServiceContext;
import io.netty.channel.EventLoop;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** The three services as they are to serve, with what is in force, and without a port. */
final class Services implements AutoCloseable {
  private final EventLoops loops = EventLoops.start(1);
  private final List<Decision> decisions = new CopyOnWriteArrayList<>();
  private final PolicySource source;
  private final InstantSource clock;
  private final PolicySet policies;
  private final List<Problem> problems;
  private final ExtAuthz authz;
  private final RateLimit ratelimit;
  private final ExtProc extProc;

  Services(
      List<Path> folders,
      ExtAuthzSettings authzSettings,
      RateLimitSettings limitSettings,
      InstantSource clock) {
    this.clock = clock;
    var context = new ServiceContext(
        loops,
        new PrometheusRegistry(),
        new DecisionListener() {
          @Override
          public void decided(Decision decision) {
            decisions.add(decision);
          }
        },
        clock);
    source = PolicySource.folders(folders, false);
    authz = ExtAuthz.create(source, authzSettings, context);
    ratelimit = RateLimit.create(source, limitSettings, context);
    extProc = ExtProc.create(
        source, new ExtProcSettings(false, authzSettings.addressFromHeader()), context);
    var load = source.start();
    policies = load.policies();
    problems = load.problems();
  }

  PolicySet policies() {
    return policies;
  }

  List<Problem> problems() {
    return problems;
  }

  ExtAuthz authz() {
    return authz;
  }

  RateLimit ratelimit() {
    return ratelimit;
  }

  ExtProc extProc() {
    return extProc;
  }

  InstantSource clock() {
    return clock;
  }

  EventLoop loop() {
    return loops.all().getFirst();
  }

  /** What a service decided last; null if it was not asked. */
  @Nullable
  Decision last(String service) {
    return decisions.stream()
        .filter(decision -> decision.service().equals(service))
        .reduce((first, last) -> last)
        .orElse(null);
  }

  @Override
  public void close() {
    extProc.close();
    ratelimit.close();
    authz.close();
    source.close();
    loops.close();
  }
}
