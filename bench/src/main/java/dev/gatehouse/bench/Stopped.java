package dev.gatehouse.bench;

import dev.gatehouse.testkit.RedisProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How long ratelimit's callers wait when Redis says nothing any more, and how soon all is well when it does again. */
@Command(
    name = "ratelimit-stopped",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Stops a Redis of its own (SIGSTOP) under a constant rate of requests, again and again. The first requests are",
      "answered at the time limit; then it is known that Redis is silent, and answers come at once.",
      "Prints the latencies of both, and how long after SIGCONT the first request was counted again.",
      "Fails unless p99.9 of the answers at the time limit is within 2 ms of it."
    })
final class Stopped implements Callable<Integer> {
  private static final double ALLOWED_MILLIS = 2;
  private static final int WARM_UP = 5;

  /** Of one stop: the first answers at the time limit, and some hundred milliseconds of those at once. */
  private static final double STOPPED_SECONDS = 0.25;

  @Option(
      names = "--stops",
      defaultValue = "50",
      description = "how often (default: ${DEFAULT-VALUE})")
  private int stops;

  @Option(
      names = "--rate",
      defaultValue = "3000",
      description = "requests a second (default: ${DEFAULT-VALUE})")
  private double rate;

  @Option(
      names = "--timeout",
      defaultValue = "10",
      description = "--redis-timeout in milliseconds (default: ${DEFAULT-VALUE})")
  private int timeout;

  private final List<long[]> latencies = new ArrayList<>();
  private final List<Long> comebacks = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (var redis = RedisProcess.start();
        var stage = new Stage(Scenario.RATELIMIT)) {
      var calls = Calls.cycling(Messages.of(Scenario.RATELIMIT, stage.shop));
      var load = stage
          .startUnasked(
              "ours",
              folder -> stage.shop.write(Scenario.RATELIMIT, folder),
              List.of("--redis-url", redis.url(), "--redis-timeout", timeout + "ms"))
          .load();
      load.saturate(calls, 3);
      for (int i = -WARM_UP; i < stops; i++) {
        Bench.progress("stop %d of %d", i + 1, stops);
        stop(redis, load, calls, i >= 0);
      }
    }
    return report();
  }

  private void stop(RedisProcess redis, Load load, Calls calls, boolean counts)
      throws InterruptedException {
    load.atRate(calls, rate, 0.1);
    redis.pause();
    var waited = load.latenciesAtRate(calls, rate, STOPPED_SECONDS);
    redis.resume();
    long resumed = System.nanoTime();
    while (load.atRate(calls, 1000, 0.001).passed() == 0) {
      Thread.onSpinWait();
    }
    if (counts) {
      comebacks.add(System.nanoTime() - resumed);
      latencies.add(waited);
    }
  }

  private int report() {
    // An answer at once takes far less than half of the time limit.
    long half = timeout * 500_000L;
    var late = sorted(latencies.stream().flatMapToLong(Arrays::stream).filter(l -> l >= half));
    var atOnce = sorted(latencies.stream().flatMapToLong(Arrays::stream).filter(l -> l < half));
    print("at the time limit", late);
    print("at once", atOnce);
    var back = sorted(comebacks.stream().mapToLong(Long::longValue));
    print("counted again after SIGCONT", back);
    double over = at(late, 0.999) - timeout;
    System.out.printf(
        Locale.ROOT,
        "p99.9 of the answers at the time limit of %d ms: %.2f ms above it (bar: %.0f)%n",
        timeout,
        over,
        ALLOWED_MILLIS);
    return over <= ALLOWED_MILLIS ? 0 : 1;
  }

  private static long[] sorted(LongStream nanos) {
    return nanos.sorted().toArray();
  }

  private static void print(String what, long[] sorted) {
    System.out.printf(
        Locale.ROOT,
        "%-28s %,7d: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, at most %.2f ms%n",
        what,
        sorted.length,
        at(sorted, 0.5),
        at(sorted, 0.99),
        at(sorted, 0.999),
        at(sorted, 1));
  }

  private static double at(long[] sorted, double share) {
    int at = Math.min(sorted.length - 1, (int) (sorted.length * share));
    return at < 0 ? 0 : sorted[at] / 1e6;
  }
}
