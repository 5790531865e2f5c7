package dev.gatehouse.authz;

import dev.gatehouse.server.EventLoops;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How many forged signatures an event loop finds out itself: a few at once, a hundred a second. Anybody can send tokens whose
 * signatures are wrong, each costs a check, and everybody else on the loop waits for it. Once a loop has had its share, the workers
 * check its tokens, and those that it knows already are answered without waiting behind them.
 *
 * <p>Good signatures do not count: a loop may check as many as come. Belongs to one loop.
 */
final class Forgeries {
  static final int AT_ONCE = 32;
  static final int A_SECOND = 100;

  private static final FastThreadLocal<Forgeries> OF_LOOP = new FastThreadLocal<>() {
    @Override
    protected Forgeries initialValue() {
      return new Forgeries(System::nanoTime);
    }
  };

  private final LongSupplier nanos;
  private double left = AT_ONCE;
  private long counted;

  Forgeries(LongSupplier nanos) {
    this.nanos = nanos;
    this.counted = nanos.getAsLong();
  }

  /** Those of the loop that the caller runs on; null on any other thread, where nobody waits. */
  static @Nullable Forgeries ofThisLoop() {
    return EventLoops.current() == null ? null : OF_LOOP.get();
  }

  /** Whether the loop may check a signature itself. Asks the clock only when it may not. */
  boolean mayCheck() {
    if (left < 1) {
      refill();
    }
    return left >= 1;
  }

  /** The loop checked one, and it was forged. */
  void found() {
    refill();
    left = Math.max(0, left - 1);
  }

  private void refill() {
    long now = nanos.getAsLong();
    left = Math.min(AT_ONCE, left + (now - counted) * (A_SECOND / 1e9));
    counted = now;
  }
}
