package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;

/** What a counter in memory stands at. Immutable, and each is another object than all before: {@link Change} goes by that. */
sealed interface Value {
  /** Of a window. */
  final class Count implements Value {
    private final long count;

    Count(long count) {
      this.count = count;
    }
  }

  /** Of a token bucket: its level at a time, in units of tokens of that cost. */
  final class Level implements Value {
    private final long level;
    private final long time;
    private final long cost;

    Level(long level, long time, long cost) {
      this.level = level;
      this.time = time;
      this.cost = cost;
    }
  }

  /** A level from further in the future is one from before the clock was set back, in milliseconds: no thread is so late. */
  long AHEAD = 60_000;

  /** Whether it has to be written even if nothing is taken, since it was made before the clock was set back. */
  default boolean ahead(long now) {
    return this instanceof Level bucket && bucket.time - now > AHEAD;
  }

  /** The counter, or a bucket's level by now. */
  default long amount(Limit limit, long now) {
    return switch (this) {
      case Count window -> window.count;
      case Level bucket ->
        limit
            .bucket()
            .drained(limit.bucket().converted(bucket.level, bucket.cost), now - bucket.time);
    };
  }

  /** The next one. A bucket's time never runs backwards. */
  default Value next(Limit limit, long amount, long now) {
    if (limit.algorithm() != Algorithm.TOKEN_BUCKET) {
      return new Count(amount);
    }
    long time = this instanceof Level bucket && !ahead(now) ? Math.max(bucket.time, now) : now;
    return new Level(amount, time, limit.bucket().cost());
  }
}
