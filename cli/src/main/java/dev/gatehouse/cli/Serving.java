package dev.gatehouse.cli;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.policy.source.Reload;
import dev.gatehouse.server.BindException;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Some of the services in this process, composed on one screen, until the process is told to end. */
final class Serving {
  private static final Logger LOG = LoggerFactory.getLogger("gatehouse");

  private Serving() {}

  /** Makes one service; the three {@code create} methods fit. */
  interface Maker {
    Service make(PolicySource policies, ServiceContext context);
  }

  /**
   * Serves until SIGTERM or Ctrl-C, then drains.
   *
   * @param flags the flag of each listener, in their order, for the message about a taken port
   */
  static int serve(
      PolicyOptions options,
      ServerSettings settings,
      List<Maker> makers,
      List<String> flags,
      Consumer<GatehouseServer> ready) {
    var loops = EventLoops.start(settings.loops());
    var context = new ServiceContext(
        loops, new PrometheusRegistry(), DecisionListener.NONE, InstantSource.system());
    var policies = PolicySource.folders(options.folders, options.strict);
    var services = new ArrayList<Service>();
    for (var maker : makers) {
      services.add(maker.make(policies, context));
    }
    var inForce = new AtomicReference<Reload>();
    policies.onLoad(reload -> {
      if (reload.inForce()) {
        inForce.set(reload);
      }
      log(reload);
    });
    inForce.compareAndSet(null, policies.start());

    GatehouseServer server;
    try {
      server =
          GatehouseServer.start(settings, services, context, () -> InForce.json(inForce.get()));
    } catch (BindException e) {
      policies.close();
      services.forEach(Service::close);
      loops.close();
      throw new Failure(
          e.getMessage() + " (choose another with " + String.join(", ", flags) + ")", e);
    }
    var ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(
            () -> {
              server.close();
              policies.close();
              services.forEach(Service::close);
              loops.close();
              ended.countDown();
            },
            "gatehouse-stop"));
    ready.accept(server);
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }

  static void say(Terminal terminal, GatehouseServer server, List<String> services) {
    for (var service : services) {
      terminal.out().printf("%-10s %s%n", service, Address.text(server.address(service)));
    }
    terminal.out().printf("%-10s http://%s%n", "admin", Address.text(server.admin()));
  }

  private static void log(Reload reload) {
    for (var problem : reload.problems()) {
      if (problem.severity() == Problem.Severity.ERROR) {
        LOG.error("policy: {}", problem);
      } else if (problem.severity() == Problem.Severity.WARNING) {
        LOG.warn("policy: {}", problem);
      } else {
        LOG.info("policy: {}", problem);
      }
    }
    if (reload.inForce()) {
      LOG.info("policies in force: {} route rules", reload.policies().rules().size());
    } else {
      LOG.error("the policies loaded at {} stay in force", reload.since());
    }
  }
}
