package dev.gatehouse.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares a service with an empty gRPC server in one run: requests a second, latency, and server CPU a request. */
@Command(
    name = "bench/run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Drives the empty server and ours in turn, as Envoy does: 2 connections, 16 calls in flight on each.",
      "Then both at one open-loop rate, half of what the slower took. Prints medians over the rounds.",
      "The bars of docs/performance.md are ratios of server CPU a request at saturation."
    })
final class Bench implements Callable<Integer> {
  @Parameters(paramLabel = "SCENARIO", description = "authz, ratelimit or ext-proc")
  private String scenarioName;

  @Option(
      names = "--seconds",
      defaultValue = "6",
      description = "of each measurement (default: ${DEFAULT-VALUE})")
  private double seconds;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "pairs of measurements (default: ${DEFAULT-VALUE})")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "10",
      description = "seconds of load before (default: ${DEFAULT-VALUE})")
  private double warmUp;

  @Option(
      names = "--redis",
      paramLabel = "URL",
      description = "counters in this Redis; else in memory")
  private @Nullable String redis;

  @Option(
      names = "--address",
      paramLabel = "HOST:PORT",
      description = "measure this server instead of ours")
  private @Nullable String address;

  @Option(names = "--pid", description = "the process of the server at --address")
  private @Nullable Long pid;

  public static void main(String[] args) {
    System.exit(new CommandLine(new Bench()).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if ((address == null) != (pid == null)) {
      System.err.println("--address and --pid go together");
      return 2;
    }
    var scenario = Scenario.named(scenarioName);
    var folder = Files.createTempDirectory("gatehouse-bench");
    var shop = new Shop();
    shop.write(folder);
    var calls = Messages.of(scenario, shop);
    try (var ours =
        address == null ? ServerProcess.start("ours", ours(scenario, folder), folder) : null) {
      var measured = ours == null
          ? new Target(
              hostAndPort(java.util.Objects.requireNonNull(address)),
              java.util.Objects.requireNonNull(pid))
          : new Target(ours.address(), ours.pid());
      try (var oursLoad = new Load(scenario, shop, calls, measured.address())) {
        var answers = oursLoad.ask();
        var answersFile = folder.resolve("answers");
        Files.write(
            answersFile,
            answers.stream().map(Base64.getEncoder()::encodeToString).toList());
        System.out.printf(
            Locale.ROOT,
            "%s: request %d bytes, answer %d bytes, %d callers%s%n",
            scenario.service,
            calls.getFirst().stream().mapToInt(m -> m.length).sum(),
            answers.stream().mapToInt(m -> m.length).sum(),
            calls.size(),
            redis == null ? "" : ", counters in Redis");
        var arguments =
            List.of(EmptyServer.class.getName(), scenarioName, "PORT", answersFile.toString());
        try (var empty = ServerProcess.start("empty", arguments, folder);
            var emptyLoad = new Load(scenario, shop, calls, empty.address())) {
          compare(emptyLoad, new Target(empty.address(), empty.pid()), oursLoad, measured);
        }
      }
    }
    return 0;
  }

  private record Target(InetSocketAddress address, long pid) {}

  /** @param cpu server CPU a request in microseconds */
  private record Sample(Load.Result result, double cpu) {}

  private interface Drive {
    Load.Result run() throws InterruptedException;
  }

  private void compare(Load emptyLoad, Target empty, Load oursLoad, Target ours)
      throws IOException, InterruptedException {
    progress("warming up");
    emptyLoad.saturate(warmUp);
    oursLoad.saturate(warmUp);
    var emptySamples = new ArrayList<Sample>();
    var oursSamples = new ArrayList<Sample>();
    for (var round = 1; round <= rounds; round++) {
      progress("saturation, round " + round + " of " + rounds);
      emptySamples.add(sample(empty, () -> emptyLoad.saturate(seconds)));
      oursSamples.add(sample(ours, () -> oursLoad.saturate(seconds)));
    }
    print("at saturation", emptySamples, oursSamples);

    var rate = 0.5
        * Math.min(
            median(emptySamples, s -> s.result().rate()),
            median(oursSamples, s -> s.result().rate()));
    emptySamples.clear();
    oursSamples.clear();
    for (var round = 1; round <= rounds; round++) {
      progress("open loop, round " + round + " of " + rounds);
      emptySamples.add(sample(empty, () -> emptyLoad.atRate(rate, seconds)));
      oursSamples.add(sample(ours, () -> oursLoad.atRate(rate, seconds)));
    }
    print(
        String.format(Locale.ROOT, "open loop, %,.0f requests/s", rate), emptySamples, oursSamples);
  }

  private static Sample sample(Target target, Drive drive)
      throws IOException, InterruptedException {
    var before = ServerProcess.cpuSeconds(target.pid());
    var result = drive.run();
    var cpu = ServerProcess.cpuSeconds(target.pid()) - before;
    return new Sample(result, cpu * 1e6 / Math.max(1, result.requests()));
  }

  private static void print(String title, List<Sample> empty, List<Sample> ours) {
    System.out.printf(
        Locale.ROOT,
        "%n%-28s %12s %10s %10s %10s %12s %8s%n",
        title,
        "requests/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/req",
        "failed");
    row("  empty", empty);
    row("  ours", ours);
    var ratios = new ArrayList<Double>();
    for (var i = 0; i < empty.size(); i++) {
      ratios.add(ours.get(i).cpu() / empty.get(i).cpu());
    }
    ratios.sort(null);
    System.out.printf(
        Locale.ROOT,
        "  CPU ours/empty: median %.2f (min %.2f, max %.2f, %d rounds)%n",
        ratios.get(ratios.size() / 2),
        ratios.getFirst(),
        ratios.getLast(),
        ratios.size());
  }

  private static void row(String name, List<Sample> samples) {
    System.out.printf(
        Locale.ROOT,
        "%-28s %12.0f %10.0f %10.0f %10.0f %12.1f %8d%n",
        name,
        median(samples, s -> s.result().rate()),
        median(samples, s -> s.result().p50()),
        median(samples, s -> s.result().p99()),
        median(samples, s -> s.result().p999()),
        median(samples, Sample::cpu),
        samples.stream().mapToLong(s -> s.result().failed()).sum());
  }

  private static double median(
      List<Sample> samples, java.util.function.ToDoubleFunction<Sample> figure) {
    var sorted = samples.stream().mapToDouble(figure).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  private List<String> ours(Scenario scenario, Path folder) {
    var arguments = new ArrayList<>(List.of(
        "dev.gatehouse.cli.Gatehouse",
        scenario.service,
        "--policies",
        folder.toString(),
        "--listen",
        "127.0.0.1:PORT",
        "--admin",
        "127.0.0.1:0"));
    if (redis != null) {
      arguments.add("--redis-url");
      arguments.add(redis);
    }
    return arguments;
  }

  private static InetSocketAddress hostAndPort(String text) throws UnknownHostException {
    var colon = text.lastIndexOf(':');
    return new InetSocketAddress(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  private static void progress(String what) {
    System.err.println(what + " …");
  }
}
