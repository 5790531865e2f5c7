package dev.gatehouse.bench;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The calls of a load, in order. Asked by the thread that begins a load and by the client's loop. */
interface Calls {
  /** The messages of the next call: one, or two on an ext_proc stream; null when there are no more. */
  @Nullable
  List<byte[]> next();

  /** The same calls over and over. */
  static Calls cycling(List<List<byte[]>> calls) {
    var at = new AtomicInteger();
    return () -> calls.get((at.getAndIncrement() & Integer.MAX_VALUE) % calls.size());
  }

  /** Each call once. */
  static Calls once(List<List<byte[]>> calls) {
    var at = new AtomicInteger();
    return () -> {
      int next = at.getAndIncrement();
      return next < calls.size() ? calls.get(next) : null;
    };
  }
}
