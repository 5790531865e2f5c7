package dev.gatehouse.extproc;

import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.grpc.ServerServiceDefinition;
import java.util.List;

/** The ext-proc service, composed on this screen. */
public final class ExtProc implements Service {
  private ExtProc() {}

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtProc create(
      PolicySource policies, ExtProcSettings settings, ServiceContext context) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String name() {
    return "ext-proc";
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
