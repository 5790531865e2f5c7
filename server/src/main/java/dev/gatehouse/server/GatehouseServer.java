package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Supplier;

/**
 * A running process: gRPC listeners with health and reflection, the admin interface, readiness after warm-up, and a stop that
 * drains.
 */
public final class GatehouseServer implements AutoCloseable {
  private GatehouseServer() {}

  /**
   * Binds, warms up, and is ready when it returns.
   *
   * @param policies what {@code /policies} answers: JSON, no secret in it
   * @throws BindException naming the address that is taken and the flag that changes it
   */
  public static GatehouseServer start(
      ServerSettings settings,
      List<Service> services,
      ServiceContext context,
      Supplier<String> policies) {
    throw new UnsupportedOperationException();
  }

  /** Where a service listens. */
  public InetSocketAddress address(String service) {
    throw new UnsupportedOperationException();
  }

  public InetSocketAddress admin() {
    throw new UnsupportedOperationException();
  }

  public boolean ready() {
    throw new UnsupportedOperationException();
  }

  /** Unready, drain, stop; bounded by {@link ServerSettings#stopWithin}. */
  @Override
  public void close() {}
}
