package dev.gatehouse.server;

/** Hears of every decision, on the event loop that made it: it must not block and must not throw. */
@FunctionalInterface
public interface DecisionListener {
  DecisionListener NONE = decision -> {};

  void decided(Decision decision);

  /** False lets a service save itself the making of decisions that nobody hears. */
  default boolean listens() {
    return this != NONE;
  }
}
