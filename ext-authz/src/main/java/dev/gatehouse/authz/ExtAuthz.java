package dev.gatehouse.authz;

import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.grpc.ServerServiceDefinition;
import java.util.List;

/** The ext-authz service, composed on this screen. */
public final class ExtAuthz implements Service {
  private ExtAuthz() {}

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtAuthz create(
      PolicySource policies, ExtAuthzSettings settings, ServiceContext context) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String name() {
    return "ext-authz";
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
