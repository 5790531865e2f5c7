package dev.gatehouse.ratelimit.stats;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The thread that sends statistics to statsd, where there is one, and forgets keys that nobody hits any more. */
public final class StatsFlush implements AutoCloseable {
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration LOOKS_EVERY = Duration.ofMinutes(1);
  private static final int IDLE_LOOKS = 60;
  private static final Duration CLOSES_WITHIN = Duration.ofSeconds(2);

  private final Stats stats;
  private final @Nullable Statsd statsd;
  private final Duration every;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  private final Runnable eachSecond;

  private StatsFlush(Stats stats, @Nullable StatsdSettings settings, Runnable eachSecond) {
    this.stats = stats;
    this.eachSecond = eachSecond;
    this.statsd = settings == null ? null : new Statsd(settings);
    this.every = settings == null ? LOOKS_EVERY : settings.every();
    this.thread = Thread.ofPlatform().daemon().name("gatehouse-stats").unstarted(this::run);
  }

  /**
   * @param statsd null sends nothing
   * @param eachSecond done beside it
   */
  public static StatsFlush start(
      Stats stats, @Nullable StatsdSettings statsd, Runnable eachSecond) {
    var flush = new StatsFlush(stats, statsd, eachSecond);
    flush.thread.start();
    return flush;
  }

  private void run() {
    try (statsd) {
      long tick = Math.min(TICK.toNanos(), every.toNanos());
      long flushAt = System.nanoTime() + every.toNanos();
      long lookAt = System.nanoTime() + LOOKS_EVERY.toNanos();
      while (!closed.await(tick, TimeUnit.NANOSECONDS)) {
        eachSecond.run();
        if (System.nanoTime() - flushAt >= 0) {
          flush();
          flushAt = System.nanoTime() + every.toNanos();
        }
        if (System.nanoTime() - lookAt >= 0) {
          stats.forgetIdle(IDLE_LOOKS);
          lookAt = System.nanoTime() + LOOKS_EVERY.toNanos();
        }
      }
      flush();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void flush() {
    if (statsd != null) {
      statsd.flush(stats);
    }
  }

  /** What was counted to the end is sent, unless the server does not take it. */
  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join(CLOSES_WITHIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
