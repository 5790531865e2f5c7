package dev.gatehouse.ratelimit.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** An answer of whole numbers, into an array that is made when it is asked for; nothing at all is the number 0. */
final class Numbers extends CommandOutput<byte[], byte[], long[]> {
  private int next;

  Numbers(int how) {
    super(ByteArrayCodec.INSTANCE, new long[how]);
  }

  /** Whether there are as many as there should be. */
  boolean complete() {
    return next == output.length;
  }

  @Override
  public void set(long number) {
    if (next < output.length) {
      output[next] = number;
    }
    next++;
  }

  /** As {@code GET} says it: in digits, or nothing. */
  @Override
  public void set(@Nullable ByteBuffer digits) {
    long number = 0;
    boolean negative = false;
    while (digits != null && digits.hasRemaining()) {
      byte digit = digits.get();
      if (digit == '-') {
        negative = true;
      } else {
        number = 10 * number + digit - '0';
      }
    }
    set(negative ? -number : number);
  }
}
