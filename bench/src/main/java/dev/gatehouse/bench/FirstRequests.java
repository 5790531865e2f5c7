package dev.gatehouse.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What the very first callers of a ratelimit wait, since Envoy waits 20 ms and then lets the request pass. */
@Command(
    name = "ratelimit-first",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Starts ratelimit again and again; each time, from the moment that its health says SERVING, sends the first",
      "requests at a constant rate over two new connections. Prints the latencies of each start and their median.",
      "Fails unless the median of the p99 is below 20 ms."
    })
final class FirstRequests implements Callable<Integer> {
  private static final double ENVOYS_TIMEOUT_MICROS = 20_000;

  @Option(
      names = "--redis",
      paramLabel = "URL",
      description = "counters in this Redis; else in memory")
  private @Nullable String redis;

  @Option(
      names = "--requests",
      defaultValue = "1000",
      description = "of each start (default: ${DEFAULT-VALUE})")
  private int requests;

  @Option(
      names = "--rate",
      defaultValue = "500",
      description = "requests a second (default: ${DEFAULT-VALUE})")
  private double rate;

  @Option(names = "--starts", defaultValue = "5", description = "default: ${DEFAULT-VALUE}")
  private int starts;

  @Override
  public Integer call() throws IOException, InterruptedException {
    warmUpTheClient();
    var p99 = new ArrayList<Double>();
    for (int start = 1; start <= starts; start++) {
      Bench.progress("start %d of %d", start, starts);
      var result = first();
      System.out.printf(
          Locale.ROOT,
          "start %d: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, %d not let pass%n",
          start,
          result.p50() / 1000,
          result.p99() / 1000,
          result.p999() / 1000,
          result.failed());
      p99.add(result.p99());
    }
    double median = Rounds.median(p99.stream().mapToDouble(Double::doubleValue).toArray());
    System.out.printf(
        Locale.ROOT,
        "first %,d requests at %,.0f/s: median p99 %.1f ms (bar: 20)%n",
        requests,
        rate,
        median / 1000);
    return median < ENVOYS_TIMEOUT_MICROS ? 0 : 1;
  }

  /** This process has first calls of its own, which are not the server's. */
  private void warmUpTheClient() throws IOException, InterruptedException {
    Bench.progress("warming up the client");
    try (var stage = new Stage(Scenario.RATELIMIT)) {
      var server = start(stage);
      server.load().saturate(calls(stage), 3);
      server.load().atRate(calls(stage), rate, 2);
    }
  }

  private Load.Result first() throws IOException, InterruptedException {
    try (var stage = new Stage(Scenario.RATELIMIT)) {
      var calls = calls(stage);
      return start(stage).load().atRate(calls, rate, requests / rate);
    }
  }

  private Stage.Started start(Stage stage) throws IOException, InterruptedException {
    var more = redis == null ? List.<String>of() : List.of("--redis-url", redis);
    return stage.startUnasked("ours", folder -> stage.shop.write(Scenario.RATELIMIT, folder), more);
  }

  private static Calls calls(Stage stage) {
    return Calls.cycling(Messages.of(Scenario.RATELIMIT, stage.shop));
  }
}
