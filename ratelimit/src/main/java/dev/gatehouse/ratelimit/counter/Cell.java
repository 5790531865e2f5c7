package dev.gatehouse.ratelimit.counter;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** One counter in memory: a {@link Value}, or for a moment the {@link Change} that it is part of. Lock-free. */
final class Cell {
  /** What a new one stands at. */
  static final Value NOTHING = new Value.Count(0);

  private static final VarHandle CONTENT;

  static {
    try {
      CONTENT = MethodHandles.lookup().findVarHandle(Cell.class, "content", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** No two of a store have the same. */
  private final long number;

  private volatile Object content = NOTHING;

  Cell(long number) {
    this.number = number;
  }

  /** The order in which a change takes its cells. */
  boolean comesBefore(Cell other) {
    return number < other.number;
  }

  /** What it stands at; a change that is under way is brought to its end before. */
  Value value() {
    while (true) {
      var seen = content;
      if (seen instanceof Value value) {
        return value;
      }
      ((Change) seen).finish();
    }
  }

  /** Whether it stood at that value. */
  boolean set(Value from, Value to) {
    return CONTENT.compareAndSet(this, from, to);
  }

  /** Makes it part of the change, if it stands at that value. */
  boolean join(Value from, Change change) {
    while (true) {
      var seen = content;
      if (seen == change) {
        return true;
      }
      if (seen instanceof Change other) {
        other.finish();
      } else if (seen != from) {
        return false;
      } else if (CONTENT.compareAndSet(this, from, change)) {
        return true;
      }
    }
  }

  /** Ends its part in the change, if somebody else has not. */
  void leave(Change change, Value to) {
    CONTENT.compareAndSet(this, change, to);
  }
}
