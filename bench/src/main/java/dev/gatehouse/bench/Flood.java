package dev.gatehouse.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a flood of bad tokens does to those who have good ones. */
@Command(
    name = "authz-flood",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Tokens with random signatures on one connection, at the rate that alone would fill one core of the server,",
      "and good ones that were seen before, at a modest open-loop rate, on two others: one on the event loop of",
      "the flood, one on another loop. Prints the latencies of the good ones without and with the flood."
    })
final class Flood implements Callable<Integer> {
  private static final double SETTLE = 1;
  private static final String LOOPS = "gatehouse-loop";

  @Mixin
  private Timing timing;

  @Option(
      names = "--rate",
      defaultValue = "1000",
      description = "good requests a second, together (default: ${DEFAULT-VALUE})")
  private double rate;

  @Option(
      names = "--flood-rate",
      description = "bad tokens a second (default: measured, so that they would fill one core)")
  private @Nullable Double floodRate;

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (var stage = new Stage(Scenario.AUTHZ)) {
      var good = Messages.of(Scenario.AUTHZ, stage.shop);
      var server = stage.start(
          "ours",
          ServerProcess.JVM,
          folder -> stage.shop.write(Scenario.AUTHZ, folder),
          good.getFirst(),
          List.of());
      int connections = 2 * Runtime.getRuntime().availableProcessors();
      var load = stage.opened(
          new Load(Scenario.AUTHZ, stage.shop, server.process().address(), connections));
      var token = stage.shop.tokens().getFirst();
      var flood = stage.opened(FloodSource.start(
          server.process().address(), Messages.check(stage.shop, token), token, stage.folder()));
      measure(new Parties(server.process(), load, Calls.cycling(good), flood), connections);
    }
    return 0;
  }

  private record Parties(ServerProcess server, Load good, Calls calls, FloodSource flood) {
    double floodCpu(double perSecond, double seconds) throws IOException {
      var before = ServerProcess.cpuSeconds(server.pid());
      flood.begin(perSecond, seconds);
      var answered = flood.end().answered();
      return (ServerProcess.cpuSeconds(server.pid()) - before) / Math.max(1, answered);
    }
  }

  /** Connections of the good ones: on the loop of the flood, and on another (none if there is but one loop). */
  private record Places(int beside, @Nullable Integer apart) {
    List<Integer> all() {
      return apart == null ? List.of(beside) : List.of(beside, apart);
    }
  }

  private void measure(Parties parties, int connections) throws IOException, InterruptedException {
    Bench.progress("warming up");
    parties.good.saturate(parties.calls, timing.warmUp);
    parties.floodCpu(0, timing.warmUp);
    Bench.progress("what a bad token costs");
    double cpu = parties.floodCpu(0, timing.seconds);
    double perSecond = floodRate == null ? 1 / cpu : floodRate;
    System.out.printf(
        Locale.ROOT,
        "a bad token costs %.1f µs of CPU; the flood: %,.0f/s; good requests: %,.0f/s%n",
        cpu * 1e6,
        perSecond,
        rate);
    var places = places(parties, connections);

    var quiet = new ArrayList<List<Load.Result>>();
    var flooded = new ArrayList<List<Load.Result>>();
    for (var round = 1; round <= timing.rounds; round++) {
      Bench.progress("round %d of %d", round, timing.rounds);
      quiet.add(parties.good.atRate(parties.calls, rate, timing.seconds, places.all()));
      flooded.add(flooded(parties, perSecond, places));
    }
    print(quiet, flooded);
  }

  private List<Load.Result> flooded(Parties parties, double perSecond, Places places)
      throws IOException, InterruptedException {
    parties.flood.begin(perSecond, timing.seconds + 2 * SETTLE);
    Thread.sleep((long) (SETTLE * 1000));
    var before = ServerProcess.cpuSeconds(parties.server.pid());
    var results = parties.good.atRate(parties.calls, rate, timing.seconds, places.all());
    var cpu = ServerProcess.cpuSeconds(parties.server.pid()) - before;
    Bench.progress(
        "the flood had %,.0f answers/s, the server %.2f cores",
        parties.flood.end().rate(), cpu / timing.seconds);
    return results;
  }

  /** By which loop's CPU time grows when a connection alone is busy. */
  private Places places(Parties parties, int connections) throws IOException, InterruptedException {
    var floodLoop = busiest(parties.server, () -> parties.floodCpu(0, SETTLE));
    Integer beside = null;
    Integer apart = null;
    for (int i = 0; i < connections && (beside == null || apart == null); i++) {
      int connection = i;
      var loop =
          busiest(parties.server, () -> parties.good.saturate(parties.calls, SETTLE, connection));
      if (loop.equals(floodLoop)) {
        beside = beside == null ? connection : beside;
      } else {
        apart = apart == null ? connection : apart;
      }
    }
    if (beside == null) {
      throw new IllegalStateException("no good connection came to " + floodLoop);
    }
    return new Places(beside, apart);
  }

  private interface Work {
    Object run() throws IOException, InterruptedException;
  }

  private static String busiest(ServerProcess server, Work work)
      throws IOException, InterruptedException {
    var before = server.threadCpu(LOOPS);
    work.run();
    var after = server.threadCpu(LOOPS);
    after.replaceAll((loop, cpu) -> cpu - before.getOrDefault(loop, 0.0));
    return after.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElseThrow();
  }

  private static void print(List<List<Load.Result>> quiet, List<List<Load.Result>> flooded) {
    System.out.printf(
        Locale.ROOT,
        "%n%-28s %10s %10s %10s %8s%n",
        "good ones",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "failed");
    for (int place = 0; place < quiet.getFirst().size(); place++) {
      var where = place == 0 ? "loop of the flood" : "another loop";
      var without = of(quiet, place);
      var with = of(flooded, place);
      row("  " + where + ", quiet", without);
      row("  " + where + ", flooded", with);
      var ratios = new double[without.size()];
      for (int i = 0; i < ratios.length; i++) {
        ratios[i] = with.get(i).p99() / without.get(i).p99();
      }
      java.util.Arrays.sort(ratios);
      System.out.printf(
          Locale.ROOT,
          "  p99 flooded/quiet: median %.2f (min %.2f, max %.2f, %d rounds)%n",
          Rounds.median(ratios),
          ratios[0],
          ratios[ratios.length - 1],
          ratios.length);
    }
  }

  private static List<Load.Result> of(List<List<Load.Result>> rounds, int place) {
    return rounds.stream().map(round -> round.get(place)).toList();
  }

  private static void row(String name, List<Load.Result> results) {
    System.out.printf(
        Locale.ROOT,
        "%-28s %10.0f %10.0f %10.0f %8d%n",
        name,
        median(results, Load.Result::p50),
        median(results, Load.Result::p99),
        median(results, Load.Result::p999),
        results.stream().mapToLong(Load.Result::failed).sum());
  }

  private static double median(List<Load.Result> results, ToDoubleFunction<Load.Result> figure) {
    return Rounds.median(results.stream().mapToDouble(figure).toArray());
  }
}
