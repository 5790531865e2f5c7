package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.grpc.ServerServiceDefinition;
import java.util.List;

/** The ratelimit service, composed on this screen. */
public final class RateLimit implements Service {
  private RateLimit() {}

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static RateLimit create(
      PolicySource policies, RateLimitSettings settings, ServiceContext context) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String name() {
    return "ratelimit";
  }

  @Override
  public ServerServiceDefinition definition() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return List.of();
  }

  @Override
  public void close() {}
}
