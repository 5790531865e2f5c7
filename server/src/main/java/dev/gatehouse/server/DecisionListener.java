package dev.gatehouse.server;

/** Hears of every decision, on the event loop that made it: it must not block and must not throw. */
@FunctionalInterface
public interface DecisionListener {
  DecisionListener NONE = new DecisionListener() {
    @Override
    public void decided(Decision decision) {}

    @Override
    public boolean listens() {
      return false;
    }
  };

  void decided(Decision decision);

  /** False lets a service save itself the making of decisions that nobody hears. */
  default boolean listens() {
    return true;
  }

  /** Called once, when the server that runs the services is ready: every decision before came of its own warm-up calls. */
  default void ready() {}
}
