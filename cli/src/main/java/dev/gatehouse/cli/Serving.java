package dev.gatehouse.cli;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.policy.source.Reload;
import dev.gatehouse.server.BindException;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.DecisionListeners;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.server.Shutdown;
import dev.gatehouse.server.metrics.JvmMetrics;
import dev.gatehouse.server.metrics.Metrics;
import dev.gatehouse.server.tls.TlsException;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Some of the services in this process, composed on one screen, until the process is told to end. */
final class Serving {
  private static final Logger LOG = LoggerFactory.getLogger("dev.gatehouse");

  private Serving() {}

  /** Makes one service; the three {@code create} methods fit. */
  interface Maker {
    Service make(PolicySource policies, ServiceContext context);
  }

  /**
   * Serves until SIGTERM or Ctrl-C, then drains.
   *
   * @param flags the flag that says where {@code admin}, or a service, listens: for the message about a taken port
   */
  static int serve(
      PolicyOptions options,
      ServerOptions server,
      ServerSettings settings,
      List<Maker> makers,
      Map<String, String> flags,
      Consumer<GatehouseServer> ready) {
    server.configureLogs();
    var parts = new Parts();
    try {
      var loops = parts.closing(EventLoops.start(settings.loops()));
      var registry = new PrometheusRegistry();
      JvmMetrics.register(registry);
      var metrics = new Metrics(registry);
      var listeners = new ArrayList<DecisionListener>(List.of(metrics));
      server.decisionLog().ifPresent(listeners::add);
      var context = new ServiceContext(
          loops, registry, DecisionListeners.of(listeners), InstantSource.system());

      var policies = parts.closing(PolicySource.folders(options.folders, options.strict));
      var services = new ArrayList<Service>();
      for (var maker : makers) {
        services.add(parts.closing(maker.make(policies, context)));
      }
      policies.onLoad(reload -> {
        metrics.policiesLoaded(reload.inForce(), Instant.now());
        log(reload);
      });
      policies.start();

      var started = parts.closing(GatehouseServer.start(
          settings, services, context, () -> policies.inForce().json()));
      Shutdown.closesOnExit(parts);
      ready.accept(started);
    } catch (BindException e) {
      parts.close();
      throw new Failure(
          e.getMessage() + " (choose another with " + flags.getOrDefault(e.listener(), "--listen")
              + ")",
          e);
    } catch (TlsException e) {
      parts.close();
      throw new Failure(String.valueOf(e.getMessage()), e);
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
    Shutdown.untilTheEnd();
    return 0;
  }

  static void say(Terminal terminal, GatehouseServer server, List<String> services) {
    for (var service : services) {
      terminal.out().printf("%-10s %s%n", service, Address.text(server.address(service)));
    }
    terminal.out().printf("%-10s http://%s%n", "admin", Address.text(server.admin()));
  }

  /** What was started, closed in the opposite order: the server drains before its services and loops go. */
  private static final class Parts implements AutoCloseable {
    private final Deque<AutoCloseable> started = new ArrayDeque<>();

    <T extends AutoCloseable> T closing(T part) {
      started.push(part);
      return part;
    }

    @Override
    public void close() {
      for (var part : started) {
        try {
          part.close();
        } catch (Exception e) {
          LOG.error("the stop was not clean", e);
        }
      }
    }
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
