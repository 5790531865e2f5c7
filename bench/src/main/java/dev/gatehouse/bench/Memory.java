package dev.gatehouse.bench;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows a small ext-authz more tokens than it can keep. */
@Command(
    name = "authz-memory",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "A million RS256 tokens, each once, through an ext-authz with a heap of 256 MB.",
      "Fails unless the process lives, lets every request pass, and keeps no more than its bound."
    })
final class Memory implements Callable<Integer> {
  private static final double PART = 2;
  private static final String HEAP_USED = "jvm_memory_used_bytes{area=\"heap\"}";

  /** As {@code TokenCache} states it (docs/security.md): an eighth of the heap. */
  private static final double SHARE = 1 / 8d;

  @Option(
      names = "--tokens",
      defaultValue = "1000000",
      description = "how many (default: ${DEFAULT-VALUE})")
  private int tokens;

  @Option(
      names = "--heap",
      paramLabel = "MB",
      defaultValue = "256",
      description = "-Xmx (default: ${DEFAULT-VALUE})")
  private int heapMegabytes;

  @Override
  public Integer call() throws IOException, InterruptedException {
    var jvm = List.of(
        "-XX:+UseSerialGC",
        "-Xmx" + heapMegabytes + "m",
        "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED");
    try (var stage = new Stage(Scenario.AUTHZ_FIRST)) {
      var known = Messages.of(Scenario.AUTHZ, stage.shop);
      var server = stage.start(
          "ours",
          jvm,
          folder -> stage.shop.write(Scenario.AUTHZ_FIRST, folder),
          known.getFirst(),
          List.of());
      // A connection's buffers, classes and code are no tokens: they are there before the count
      // begins.
      server.load().saturate(Calls.cycling(known.subList(0, 10)), PART);
      var before = heapInUse(server);
      var told = show(stage, server);
      var after = heapInUse(server);
      server.process().requireAlive();
      return judge(server, told, after - before) ? 0 : 1;
    }
  }

  /** @param seconds of load, without the time in which tokens were signed */
  private record Told(long shown, long failed, double seconds) {}

  private Told show(Stage stage, Stage.Started server) throws IOException, InterruptedException {
    var feed = Feed.fresh(stage.shop);
    long shown = 0;
    long failed = 0;
    double seconds = 0;
    while (shown < tokens) {
      feed.prepare(PART);
      var result = server.load().saturate(feed.calls(), PART);
      feed.served(result);
      shown += result.requests();
      failed += result.failed();
      seconds += result.seconds();
      server.process().requireAlive();
      Bench.progress(
          "%,d tokens, heap %.0f MB, resident %.0f MB",
          shown,
          megabytes(server.process().metric(HEAP_USED)),
          megabytes(server.process().metric("process_resident_memory_bytes")));
    }
    return new Told(shown, failed, seconds);
  }

  private boolean judge(Stage.Started server, Told told, double grown)
      throws IOException, InterruptedException {
    double bound = heapMegabytes * SHARE;
    System.out.printf(
        Locale.ROOT,
        "%,d tokens in %.0f s of load: %d not let pass %s%n",
        told.shown,
        told.seconds,
        told.failed,
        server.load().firstFailure());
    System.out.printf(
        Locale.ROOT,
        "live heap grew by %.1f MB (bound of the tokens kept: %.1f MB of %d MB), resident at most %.0f MB%n",
        megabytes(grown),
        bound,
        heapMegabytes,
        server.process().residentMegabytes("VmHWM"));
    boolean outOfMemory = server.process().log().contains("OutOfMemoryError");
    System.out.println(outOfMemory ? "an OutOfMemoryError is in its log" : "no OutOfMemoryError");
    return !outOfMemory && told.failed == 0 && megabytes(grown) <= bound;
  }

  private static double heapInUse(Stage.Started server) throws IOException, InterruptedException {
    server.process().collectGarbage();
    server.process().collectGarbage();
    return server.process().metric(HEAP_USED);
  }

  private static double megabytes(double bytes) {
    return bytes / (1 << 20);
  }
}
