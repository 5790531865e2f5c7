package dev.gatehouse.sandbox;

import dev.gatehouse.authz.ExtAuthz;
import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.InForce;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.policy.source.Reload;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.DecisionListeners;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.ServerSettings.Listener;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.server.metrics.JvmMetrics;
import dev.gatehouse.server.metrics.Metrics;
import dev.gatehouse.wire.EnvoyConfig;
import io.netty.channel.EventLoop;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole way in one place: the three services in this JVM, and a real Envoy in front of them with the configuration that
 * {@code wire} makes of a folder of policies. It is healthy when it opens, and follows the folder's changes.
 */
public final class Gate implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Gate.class);

  /** Whether this JVM has opened a gate before: warming up the next one would only cost time. */
  private static final AtomicBoolean WARM = new AtomicBoolean();

  private final ArrayDeque<AutoCloseable> opened;
  private final EventLoops loops;
  private final PolicySource policies;
  private final GatehouseServer server;
  private final WiredEnvoy envoy;

  private Gate(
      ArrayDeque<AutoCloseable> opened,
      EventLoops loops,
      PolicySource policies,
      GatehouseServer server,
      WiredEnvoy envoy) {
    this.opened = opened;
    this.loops = loops;
    this.policies = policies;
    this.server = server;
    this.envoy = envoy;
  }

  /**
   * What a gate is made of.
   *
   * @param policies the folders of policies
   * @param work an empty folder for Envoy's files and logs
   * @param envoy the binary
   * @param port where Envoy's first listener listens on the loopback; 0 takes a free one
   * @param upstream the port on the loopback that stands for a Backend, by {@code namespace/name}
   * @param decisions hears of every decision
   * @param tweak a last change to Envoy's configuration, for tests of what stands in front of the services
   * @param accessLog hears each line of Envoy's access log; null writes none
   */
  public record Settings(
      List<Path> policies,
      Path work,
      Path envoy,
      int port,
      ToIntFunction<String> upstream,
      ExtAuthzSettings extAuthz,
      RateLimitSettings ratelimit,
      ExtProcSettings extProc,
      DecisionListener decisions,
      UnaryOperator<EnvoyConfig> tweak,
      @Nullable Consumer<String> accessLog) {
    /** With every service as it is by default, and an Envoy that has {@link Patience} with them. */
    public static Settings of(
        Path policies, Path work, Path envoy, ToIntFunction<String> upstream) {
      return new Settings(
          List.of(policies),
          work,
          envoy,
          0,
          upstream,
          ExtAuthzSettings.defaults(),
          RateLimitSettings.defaults(),
          ExtProcSettings.defaults(),
          DecisionListener.NONE,
          Patience::with,
          null);
    }
  }

  /**
   * Opens a gate and waits until all of it is healthy.
   *
   * @param reloads told of every load after the first, once Envoy has followed it, with all that is wrong; on the watcher's thread
   */
  public static Gate open(Settings settings, BiConsumer<Reload, List<Problem>> reloads) {
    var opened = new ArrayDeque<AutoCloseable>();
    try {
      return open(settings, reloads, opened);
    } catch (RuntimeException e) {
      closeAll(opened);
      throw e;
    }
  }

  private static Gate open(
      Settings settings,
      BiConsumer<Reload, List<Problem>> reloads,
      ArrayDeque<AutoCloseable> opened) {
    var loops = EventLoops.start(2);
    opened.push(loops);
    var registry = new PrometheusRegistry();
    JvmMetrics.register(registry);
    var metrics = new Metrics(registry);
    var listeners = DecisionListeners.of(List.of(metrics, settings.decisions));
    var context = new ServiceContext(loops, registry, listeners, InstantSource.system());
    var policies = PolicySource.folders(settings.policies, false);
    opened.push(policies);
    var services = new ArrayList<Service>();
    services.add(ExtAuthz.create(policies, settings.extAuthz, context));
    services.add(RateLimit.create(policies, settings.ratelimit, context));
    services.add(ExtProc.create(policies, settings.extProc, context));
    if (WARM.get()) {
      services.replaceAll(AlreadyWarm::new);
    }
    services.forEach(opened::push);

    var follower = new Follower(reloads);
    policies.onLoad(follower::loaded);
    policies.onLoad(reload -> metrics.policiesLoaded(reload.inForce(), Instant.now()));
    var first = policies.start();
    var server = GatehouseServer.start(
        loopback(services), services, context, () -> policies.inForce().json());
    opened.push(server);
    var envoy = WiredEnvoy.start(settings, server, first.policies());
    opened.push(envoy);
    follower.attach(envoy, policies);
    WARM.set(true);
    return new Gate(opened, loops, policies, server, envoy);
  }

  /** Hears of every load and lets Envoy follow it; the first ones come before there is an Envoy. */
  private static final class Follower {
    private final BiConsumer<Reload, List<Problem>> reloads;
    private @Nullable WiredEnvoy envoy;
    private int loads;

    Follower(BiConsumer<Reload, List<Problem>> reloads) {
      this.reloads = reloads;
    }

    synchronized void loaded(Reload reload) {
      loads++;
      if (envoy == null) {
        return;
      }
      var problems = new ArrayList<>(reload.problems());
      if (reload.inForce()) {
        problems.addAll(envoy.follow(reload.policies()));
      }
      reloads.accept(reload, problems);
    }

    /** Envoy was made of the first load; what came while it started it follows now. */
    synchronized void attach(WiredEnvoy started, PolicySource policies) {
      envoy = started;
      if (loads > 1) {
        started.follow(policies.inForce().policies());
      }
    }
  }

  private static ServerSettings loopback(List<Service> services) {
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var usual = ServerSettings.of(
        services.stream().map(s -> new Listener(any, null, List.of(s.name()))).toList(), any);
    return new ServerSettings(
        usual.listeners(),
        usual.admin(),
        usual.loops(),
        usual.maxConcurrentCalls(),
        usual.maxMessageBytes(),
        usual.maxHeaderBytes(),
        usual.maxConnectionAge(),
        usual.maxConnectionAgeGrace(),
        Duration.ZERO,
        Duration.ofSeconds(2));
  }

  public Envoy envoy() {
    return envoy.process();
  }

  /** The event loops that the services run on. */
  public List<EventLoop> loops() {
    return loops.all();
  }

  public GatehouseServer server() {
    return server;
  }

  /** The policies that are in force, and what is wrong with them. */
  public InForce inForce() {
    return policies.inForce();
  }

  /** What {@code wire} and Envoy said of the policies that Envoy follows now. */
  public List<Problem> wireProblems() {
    return envoy.problems();
  }

  /** Where each listener is, by the port that its Gateway says; in the Gateways' order. */
  public Map<Integer, Endpoint> endpoints() {
    return envoy.endpoints();
  }

  /** @param tls whether the listener speaks HTTPS */
  public record Endpoint(InetSocketAddress address, boolean tls) {}

  /** Looks for changes of the policies now; returns when Envoy has followed them. */
  public void poll() {
    policies.poll();
  }

  @Override
  public void close() {
    closeAll(opened);
  }

  private static void closeAll(ArrayDeque<AutoCloseable> opened) {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        LOG.warn("closing a part of the gate failed", e);
      }
    }
  }
}
