package dev.gatehouse.server;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several listeners as one. It passes nothing on before {@link #ready}, since until then a server lets in no calls but its own
 * for warming up: those are in no metric and no log. A listener that throws harms neither the others nor the answer.
 */
public final class DecisionListeners implements DecisionListener {
  private static final Logger LOG = LoggerFactory.getLogger(DecisionListeners.class);

  private final DecisionListener[] all;
  private volatile boolean ready;

  private DecisionListeners(DecisionListener[] all) {
    this.all = all;
  }

  public static DecisionListener of(List<DecisionListener> listeners) {
    var listening =
        listeners.stream().filter(DecisionListener::listens).toArray(DecisionListener[]::new);
    return listening.length == 0 ? NONE : new DecisionListeners(listening);
  }

  @Override
  public void decided(Decision decision) {
    if (!ready) {
      return;
    }
    for (var listener : all) {
      try {
        listener.decided(decision);
      } catch (RuntimeException e) {
        LOG.error("a decision listener failed: {}", listener.getClass().getName(), e);
      }
    }
  }

  @Override
  public void ready() {
    for (var listener : all) {
      listener.ready();
    }
    ready = true;
  }
}
