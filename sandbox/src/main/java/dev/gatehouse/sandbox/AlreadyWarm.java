package dev.gatehouse.sandbox;

import dev.gatehouse.server.HttpPage;
import dev.gatehouse.server.Service;
import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A service whose code is warm already, since this JVM has served with it before: it still connects to its store, and makes no calls to itself. */
record AlreadyWarm(Service service) implements Service {
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
    return List.of();
  }

  @Override
  public void warmUp() {
    if (name().equals("ratelimit")) {
      service.warmUp();
    }
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
