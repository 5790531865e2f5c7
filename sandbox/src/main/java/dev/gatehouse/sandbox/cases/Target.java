package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.Gate;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A gateway that somebody else set up, and what we know around it. */
public final class Target implements AutoCloseable {
  final Gate.Endpoint endpoint;
  final @Nullable Upstreams upstreams;
  final @Nullable InetSocketAddress envoyAdmin;

  /**
   * @param upstream where we are to be the upstream that the gateway leads to; null when it has its own
   * @param envoyAdmin Envoy's admin interface; null when it is not known
   */
  public Target(
      InetSocketAddress address,
      boolean tls,
      @Nullable InetSocketAddress upstream,
      @Nullable InetSocketAddress envoyAdmin) {
    this.endpoint = new Gate.Endpoint(address, tls);
    this.upstreams = upstream == null ? null : Upstreams.single(upstream, new Echo());
    this.envoyAdmin = envoyAdmin;
  }

  @Override
  public void close() {
    if (upstreams != null) {
      upstreams.close();
    }
  }
}
