package dev.gatehouse.sandbox;

import dev.gatehouse.server.Delegating;
import dev.gatehouse.server.Service;
import java.util.List;

/** A service whose code is warm already, since this JVM has served with it before: it still connects to its store, and makes no calls to itself. */
final class AlreadyWarm extends Delegating {
  AlreadyWarm(Service service) {
    super(service);
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return List.of();
  }

  @Override
  public void warmUp() {
    if (name().equals("ratelimit")) {
      super.warmUp();
    }
  }
}
