package dev.gatehouse.server;

import io.grpc.ServerServiceDefinition;
import java.util.List;

/** A service of which a test changes one thing. */
abstract class Delegating implements Service {
  private final Service service;

  Delegating(Service service) {
    this.service = service;
  }

  @Override
  public String name() {
    return service.name();
  }

  @Override
  public ServerServiceDefinition definition() {
    return service.definition();
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return service.warmUpCalls();
  }

  @Override
  public void close() {
    service.close();
  }
}
