package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running process: gRPC listeners with health and reflection, the admin interface, readiness after warm-up, and a stop that
 * drains.
 */
public final class GatehouseServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GatehouseServer.class);

  private final ServerSettings settings;
  private final Readiness readiness = new Readiness();
  private final List<GrpcListener> listeners = new ArrayList<>();
  private final ServerMetrics metrics;
  private @Nullable AdminServer admin;
  private @Nullable Future<?> health;

  private GatehouseServer(ServerSettings settings, ServiceContext context) {
    this.settings = settings;
    this.metrics = new ServerMetrics(context.metrics(), readiness, listeners);
  }

  /**
   * Binds, warms up, and is ready when it returns. The services and the loops stay the caller's to close, after the server.
   *
   * @param policies what {@code /policies} answers: JSON, no secret in it
   * @throws BindException naming the address that is taken and the listener whose flag changes it
   * @throws dev.gatehouse.server.tls.TlsException naming the certificate or key that cannot be used
   */
  public static GatehouseServer start(
      ServerSettings settings,
      List<Service> services,
      ServiceContext context,
      Supplier<String> policies) {
    var server = new GatehouseServer(settings, context);
    try {
      server.bind(services, context, policies);
      server.warmUp(services, context);
      return server;
    } catch (RuntimeException e) {
      server.stop(0);
      throw e;
    }
  }

  private void bind(List<Service> services, ServiceContext context, Supplier<String> policies) {
    for (var listener : settings.listeners()) {
      listeners.add(GrpcListener.bind(
          listener,
          settings,
          GrpcListener.named(services, listener.services()),
          context.loops(),
          readiness));
    }
    if (settings.admin() != null) {
      var pages = Admin.pages(readiness, context, services, policies);
      admin = AdminServer.start(settings.admin(), pages);
      for (var http : settings.http()) {
        admin.listen(http.name(), http.address(), Admin.some(pages, http));
      }
    }
  }

  private void warmUp(List<Service> services, ServiceContext context) {
    long began = System.nanoTime();
    int calls = WarmUp.run(settings, services, context.loops());
    context.decisions().ready();
    services.forEach(Service::ready);
    readiness.become(Readiness.State.READY);
    listeners.forEach(this::tellHealth);
    health = context
        .loops()
        .all()
        .getFirst()
        .scheduleWithFixedDelay(() -> listeners.forEach(this::tellHealth), 1, 1, TimeUnit.SECONDS);
    LOG.info(
        "ready: {}{}; warmed up by {} calls in {} ms; {} {} loops",
        String.join(", ", listeners.stream().map(GrpcListener::toString).toList()),
        admin == null ? "" : ", admin on " + printed(admin.address()),
        calls,
        (System.nanoTime() - began) / 1_000_000,
        context.loops().all().size(),
        context.loops().transport());
  }

  /** What health says while the process runs; a listener answers calls nevertheless. */
  private void tellHealth(GrpcListener listener) {
    if (readiness.ready()) {
      listener.serving(listener.healthy());
    }
    if (!readiness.ready()) {
      listener.serving(false); // it was asked to stop meanwhile
    }
  }

  /**
   * Where a service listens.
   *
   * @throws IllegalStateException if that is a socket of the file system
   */
  public InetSocketAddress address(String service) {
    return listeners.stream()
        .filter(listener -> listener.serves(service))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no listener serves " + service))
        .address();
  }

  /** Where the admin interface listens. */
  public InetSocketAddress admin() {
    if (admin == null) {
      throw new IllegalStateException("no admin interface was asked for");
    }
    return admin.address();
  }

  /** Where the HTTP listeners beside the admin interface are, in the order of their settings. */
  public List<InetSocketAddress> http() {
    return admin == null ? List.of() : admin.others();
  }

  public boolean ready() {
    return readiness.ready();
  }

  /**
   * Stops without losing a call. First it says that it is not ready but keeps answering for {@link ServerSettings#drain}, until
   * callers have heard of it; then it tells connections to go and lets calls end; what has not ended {@link
   * ServerSettings#stopWithin} after the beginning is cancelled. A second call does nothing.
   */
  @Override
  public void close() {
    if (!readiness.become(Readiness.State.DRAINING)) {
      return;
    }
    long began = System.nanoTime();
    long within = settings.stopWithin().toNanos();
    if (health != null) {
      health.cancel(false);
    }
    LOG.info("draining: not ready any more, answering for another {}", settings.drain());
    listeners.forEach(listener -> listener.serving(false));
    sleep(Math.min(settings.drain().toNanos(), within));
    stop(within - (System.nanoTime() - began));
    LOG.info("stopped after {} ms", Duration.ofNanos(System.nanoTime() - began).toMillis());
  }

  /** @param nanos how long calls in flight may still take */
  private void stop(long nanos) {
    long deadline = System.nanoTime() + nanos;
    listeners.forEach(GrpcListener::stopTaking);
    for (var listener : listeners) {
      boolean ended = listener.awaitEnd(deadline - System.nanoTime());
      int left = listener.admission().calls();
      if (!ended && left > 0) {
        LOG.warn("{} calls of {} did not end in time and are cancelled", left, listener.name());
      }
      listener.stopNow();
    }
    if (admin != null) {
      admin.close();
    }
    metrics.close();
  }

  /** Sleeps for as long as it says; who interrupts wants it to be over. */
  private static void sleep(long nanos) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A network address, or the path of a socket. */
  static String printed(SocketAddress address) {
    return address instanceof InetSocketAddress network ? printed(network) : address.toString();
  }

  /** As it is written in a flag or a URL. */
  static String printed(InetSocketAddress address) {
    var host = address.getHostString();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }
}
