package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running process: gRPC listeners with health and reflection, the admin interface, readiness after warm-up, and a stop that
 * drains.
 */
public final class GatehouseServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GatehouseServer.class);

  private final ServerSettings settings;
  private final Readiness readiness;
  private final List<GrpcListener> listeners;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private GatehouseServer(
      ServerSettings settings, Readiness readiness, List<GrpcListener> listeners) {
    this.settings = settings;
    this.readiness = readiness;
    this.listeners = listeners;
  }

  /**
   * Binds, warms up, and is ready when it returns. The services and the loops stay the caller's to close, after the server.
   *
   * @param policies what {@code /policies} answers: JSON, no secret in it
   * @throws BindException naming the address that is taken and the listener whose flag changes it
   */
  public static GatehouseServer start(
      ServerSettings settings,
      List<Service> services,
      ServiceContext context,
      Supplier<String> policies) {
    var readiness = new Readiness();
    var listeners = new ArrayList<GrpcListener>();
    var server = new GatehouseServer(settings, readiness, listeners);
    try {
      for (var listener : settings.listeners()) {
        listeners.add(GrpcListener.bind(
            listener, settings, named(services, listener.services()), context.loops(), readiness));
      }
      services.forEach(Service::warmUp);
      readiness.become(Readiness.State.READY);
      listeners.forEach(listener -> listener.serving(true));
      return server;
    } catch (RuntimeException e) {
      listeners.forEach(GrpcListener::stopNow);
      throw e;
    }
  }

  private static List<Service> named(List<Service> services, List<String> names) {
    return names.stream()
        .map(name -> services.stream()
            .filter(service -> service.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("a listener names the service " + name
                + ", but there are: "
                + services.stream().map(Service::name).toList())))
        .toList();
  }

  /** Where a service listens. */
  public InetSocketAddress address(String service) {
    return listeners.stream()
        .filter(listener -> listener.serves(service))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no listener serves " + service))
        .address();
  }

  public InetSocketAddress admin() {
    throw new UnsupportedOperationException();
  }

  public boolean ready() {
    return readiness.ready();
  }

  /** Unready, drain, stop; bounded by {@link ServerSettings#stopWithin}. */
  @Override
  public void close() {
    readiness.become(Readiness.State.DRAINING);
    listeners.forEach(GrpcListener::stopNow);
  }
}
