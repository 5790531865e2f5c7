package dev.gatehouse.bench;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows a small ratelimit more counters than it may keep, while windows pass. */
@Command(
    name = "ratelimit-keys",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "A million callers with a counter each, once each, through a ratelimit with a heap of 128 MB, limits a second long.",
      "Fails unless the process lives, lets every request pass, and neither its live heap nor its metrics have grown."
    })
final class ManyKeys implements Callable<Integer> {
  private static final int PART = 50_000;
  private static final double SECONDS = 60;
  private static final String HEAP_USED = "jvm_memory_used_bytes{area=\"heap\"}";

  /** What a garbage collector and a JIT leave lying about. */
  private static final double FLAT_MEGABYTES = 8;

  @Option(names = "--keys", defaultValue = "1000000", description = "default: ${DEFAULT-VALUE}")
  private int keys;

  @Option(
      names = "--heap",
      paramLabel = "MB",
      defaultValue = "128",
      description = "-Xmx (default: ${DEFAULT-VALUE})")
  private int heapMegabytes;

  @Option(
      names = "--redis",
      paramLabel = "URL",
      description = "counters in this Redis; else in memory")
  private @Nullable String redis;

  @Override
  public Integer call() throws IOException, InterruptedException {
    var jvm = List.of(
        "-XX:+UseSerialGC",
        "-Xmx" + heapMegabytes + "m",
        "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED");
    var more = redis == null ? List.<String>of() : List.of("--redis-url", redis);
    try (var stage = new Stage(Scenario.RATELIMIT)) {
      var known = Messages.of(Scenario.RATELIMIT, stage.shop);
      var server = stage.start("ours", jvm, stage.shop::writeLimitsASecond, known.getFirst(), more);
      server.load().saturate(Calls.once(Messages.limits(stage.shop, keys, PART)), SECONDS);
      var heap = heapInUse(server, stage.shop);
      var metrics = series(server);
      long failed = show(stage, server);
      return judge(server, failed, heapInUse(server, stage.shop) - heap, series(server) - metrics)
          ? 0
          : 1;
    }
  }

  private long show(Stage stage, Stage.Started server) throws IOException, InterruptedException {
    long failed = 0;
    for (int shown = 0; shown < keys; shown += PART) {
      var calls = Calls.once(Messages.limits(stage.shop, shown, PART));
      failed += server.load().saturate(calls, SECONDS).failed();
      server.process().requireAlive();
      Bench.progress(
          "%,d keys, heap %.0f MB", shown + PART, server.process().metric(HEAP_USED) / (1 << 20));
    }
    return failed;
  }

  private boolean judge(Stage.Started server, long failed, double grown, long moreSeries)
      throws IOException {
    System.out.printf(
        Locale.ROOT,
        "%,d keys: %d not let pass %s%n",
        keys,
        failed,
        server.load().firstFailure());
    System.out.printf(
        Locale.ROOT,
        "live heap grew by %.1f MB (flat: below %.0f of %d MB), metrics by %d series%n",
        grown / (1 << 20),
        FLAT_MEGABYTES,
        heapMegabytes,
        moreSeries);
    boolean outOfMemory = server.process().log().contains("OutOfMemoryError");
    return !outOfMemory && failed == 0 && grown / (1 << 20) < FLAT_MEGABYTES && moreSeries == 0;
  }

  /** Once the last window has passed, which the next call sees. */
  private static double heapInUse(Stage.Started server, Shop shop)
      throws IOException, InterruptedException {
    Thread.sleep(1500);
    server.load().saturate(Calls.once(Messages.limits(shop, 0, 100)), 1);
    server.process().collectGarbage();
    server.process().collectGarbage();
    return server.process().metric(HEAP_USED);
  }

  private static long series(Stage.Started server) throws IOException, InterruptedException {
    return server
        .process()
        .metrics()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .count();
  }
}
