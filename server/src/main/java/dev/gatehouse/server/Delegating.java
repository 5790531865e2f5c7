package dev.gatehouse.server;

import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A service that is another one but for what a subclass changes. It passes everything on, so that none of it is forgotten. */
public abstract class Delegating implements Service {
  private final Service service;

  protected Delegating(Service service) {
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
  public void warmUp() {
    service.warmUp();
  }

  @Override
  public void ready() {
    service.ready();
  }

  @Override
  public byte @Nullable [] refusal() {
    return service.refusal();
  }

  @Override
  public Map<String, HttpPage> pages() {
    return service.pages();
  }

  @Override
  public String metrics() {
    return service.metrics();
  }

  @Override
  public @Nullable String unhealthy() {
    return service.unhealthy();
  }

  @Override
  public void close() {
    service.close();
  }
}
