package dev.gatehouse.extproc.kit;

import dev.gatehouse.extproc.stream.StreamStats;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.server.Shutdown;
import dev.gatehouse.server.metrics.JvmMetrics;
import io.grpc.ServerServiceDefinition;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A server for a {@link ProcessorService}: gRPC on event loops with health and reflection, TLS that follows its files, an admin
 * interface with health and metrics, warm before it is ready, and a stop that drains.
 */
public final class ProcessorServer implements AutoCloseable {
  private final Running service;
  private final EventLoops loops;
  private final GatehouseServer server;

  private ProcessorServer(Running service, EventLoops loops, GatehouseServer server) {
    this.service = service;
    this.loops = loops;
    this.server = server;
  }

  /** On the loopback's port 9002, without admin interface and TLS, unless the builder is told otherwise. */
  public static Builder of(ProcessorService service) {
    return new Builder(service);
  }

  /** Where Envoy's calls arrive. */
  public InetSocketAddress address() {
    return server.address(service.name());
  }

  /**
   * Where {@code /healthz}, {@code /readyz} and {@code /metrics} are.
   *
   * @throws IllegalStateException if none was asked for
   */
  public InetSocketAddress admin() {
    return server.admin();
  }

  /** What callbacks run on, one thread each: a test watches them with the testkit's {@code LoopGuard}. */
  public Iterable<? extends Executor> loops() {
    return loops.all();
  }

  /** Drains, then ends; streams that are still open then are cancelled. A second call does nothing. */
  @Override
  public void close() {
    server.close();
    loops.close();
  }

  /** How to serve. */
  public static final class Builder {
    private final ProcessorService service;
    private InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 9002);
    private @Nullable InetSocketAddress admin;
    private ServerSettings.@Nullable Tls tls;
    private @Nullable Duration drain;

    private Builder(ProcessorService service) {
      this.service = service;
    }

    /** @param where port 0 takes a free one; without this it is the loopback's 9002 */
    public Builder listen(InetSocketAddress where) {
      address = where;
      return this;
    }

    /** Serves health and metrics over HTTP. They are for operators: not where strangers reach them. */
    public Builder admin(InetSocketAddress where) {
      admin = where;
      return this;
    }

    /** Without this the connection is plaintext: only for the same host, or a mesh that encrypts. */
    public Builder tls(ServerSettings.Tls files) {
      tls = files;
      return this;
    }

    /** How long {@link #close} keeps answering while it says that it is not ready; 5 s without this. */
    public Builder drain(Duration time) {
      drain = time;
      return this;
    }

    /**
     * Binds, warms up, and is ready when it returns.
     *
     * @throws dev.gatehouse.server.BindException if an address is taken
     * @throws dev.gatehouse.server.tls.TlsException if the certificate or key cannot be used
     */
    public ProcessorServer start() {
      var listener = new ServerSettings.Listener(address, tls, List.of(service.name()));
      var settings = ServerSettings.of(List.of(listener), admin);
      var registry = new PrometheusRegistry();
      JvmMetrics.register(registry);
      StreamStats.metrics(List.of(service.stats())).forEach(registry::register);
      service.stats().warmingUp();
      var loops = EventLoops.start(settings.loops());
      var running = new Running(service);
      try {
        var server = GatehouseServer.start(
            drain == null ? settings : settings.withDrain(drain),
            List.of(running),
            new ServiceContext(loops, registry, DecisionListener.NONE, InstantSource.system()),
            () -> "{}");
        return new ProcessorServer(running, loops, server);
      } catch (RuntimeException e) {
        loops.close();
        throw e;
      }
    }

    /** {@link #start}, and serves until the process is told to end (SIGTERM, Ctrl-C), then drains. Does not return. */
    public void serve() {
      Shutdown.closesOnExit(start());
      Shutdown.untilTheEnd();
    }
  }

  /** The service as the server runs it. */
  private record Running(ProcessorService service) implements Service {
    @Override
    public String name() {
      return service.name();
    }

    @Override
    public ServerServiceDefinition definition() {
      return service.bindService();
    }

    @Override
    public List<WarmUpCall> warmUpCalls() {
      return service.warmUp().calls();
    }

    @Override
    public void ready() {
      service.stats().ready();
    }

    @Override
    public void close() {}
  }
}
