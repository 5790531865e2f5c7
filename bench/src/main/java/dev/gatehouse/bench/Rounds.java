package dev.gatehouse.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Drives servers in turn, round after round, and prints medians and the ratios of their CPU. */
final class Rounds {
  private static final double WARM_UP_PART = 2;

  private final Timing timing;

  /** One for each server that is compared. */
  private final List<Allocated> allocated = new ArrayList<>();

  Rounds(Timing timing) {
    this.timing = timing;
  }

  /** One of those that are compared. */
  record Server(String name, Load load, long pid, Feed feed) {}

  /**
   * @param cpu server CPU a request in microseconds
   * @param allocated bytes a request, by all threads of the server; NaN if it is no JVM
   */
  private record Sample(Load.Result result, double cpu, double allocated) {}

  private interface Drive {
    Load.Result run(Server server) throws InterruptedException;
  }

  /** Each but the first is set against the first; of three, the last against the second too. */
  void compare(List<Server> servers) throws IOException, InterruptedException {
    try {
      for (var server : servers) {
        allocated.add(Allocated.in(server.pid));
      }
      measure(servers);
    } finally {
      for (var each : allocated) {
        each.close();
      }
      allocated.clear();
    }
  }

  private void measure(List<Server> servers) throws IOException, InterruptedException {
    for (var server : servers) {
      warmUp(server);
    }
    var atSaturation = samples(
        "saturation", servers, server -> server.load.saturate(server.feed.calls(), timing.seconds));
    print("at saturation", servers, atSaturation);

    var rate = 0.5
        * atSaturation.stream()
            .mapToDouble(samples -> median(samples, s -> s.result().rate()))
            .min()
            .orElseThrow();
    var openLoop = samples(
        "open loop",
        servers,
        server -> server.load.atRate(server.feed.calls(), rate, timing.seconds));
    print(String.format(Locale.ROOT, "open loop, %,.0f requests/s", rate), servers, openLoop);
  }

  private void warmUp(Server server) throws InterruptedException {
    Bench.progress("warming up %s", server.name);
    for (double left = timing.warmUp; left > 0; ) {
      double part = Math.min(left, WARM_UP_PART);
      server.feed.prepare(part);
      var result = server.load.saturate(server.feed.calls(), part);
      server.feed.served(result);
      left -= Math.max(0.1, result.seconds());
    }
  }

  /** For each server its samples, one a round. */
  private List<List<Sample>> samples(String what, List<Server> servers, Drive drive)
      throws IOException, InterruptedException {
    var samples = servers.stream().<List<Sample>>map(_ -> new ArrayList<>()).toList();
    for (var round = 1; round <= timing.rounds; round++) {
      Bench.progress("%s, round %d of %d", what, round, timing.rounds);
      for (var i = 0; i < servers.size(); i++) {
        samples.get(i).add(sample(servers.get(i), allocated.get(i), drive));
      }
    }
    return samples;
  }

  private Sample sample(Server server, Allocated allocated, Drive drive)
      throws IOException, InterruptedException {
    server.feed.prepare(timing.seconds);
    var bytesBefore = allocated.bytes();
    var before = ServerProcess.cpuSeconds(server.pid);
    var result = drive.run(server);
    var cpu = ServerProcess.cpuSeconds(server.pid) - before;
    var bytes = allocated.bytes() - bytesBefore;
    server.feed.served(result);
    if (result.failed() > 0) {
      Bench.progress(
          "%s: %d not sent or not let pass %s",
          server.name, result.failed(), server.load.firstFailure());
    }
    var requests = Math.max(1, result.requests());
    return new Sample(result, cpu * 1e6 / requests, bytes / requests);
  }

  private static void print(String title, List<Server> servers, List<List<Sample>> samples) {
    System.out.printf(
        Locale.ROOT,
        "%n%-28s %12s %10s %10s %10s %12s %12s %8s%n",
        title,
        "requests/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/req",
        "bytes/req",
        "failed");
    for (var i = 0; i < servers.size(); i++) {
      row("  " + servers.get(i).name, samples.get(i));
    }
    for (var i = 1; i < servers.size(); i++) {
      ratio(servers.get(i).name, samples.get(i), servers.getFirst().name, samples.getFirst());
    }
    if (servers.size() == 3) {
      ratio(servers.get(2).name, samples.get(2), servers.get(1).name, samples.get(1));
    }
  }

  /** Of each round's two, which ran one after the other. */
  private static void ratio(String one, List<Sample> ones, String other, List<Sample> others) {
    var ratios = new ArrayList<Double>();
    for (var i = 0; i < ones.size(); i++) {
      ratios.add(ones.get(i).cpu() / others.get(i).cpu());
    }
    ratios.sort(null);
    System.out.printf(
        Locale.ROOT,
        "  CPU %s/%s: median %.2f (min %.2f, max %.2f, %d rounds)%n",
        one,
        other,
        ratios.get(ratios.size() / 2),
        ratios.getFirst(),
        ratios.getLast(),
        ratios.size());
  }

  private static void row(String name, List<Sample> samples) {
    System.out.printf(
        Locale.ROOT,
        "%-28s %12.0f %10.0f %10.0f %10.0f %12.1f %12.0f %8d%n",
        name,
        median(samples, s -> s.result().rate()),
        median(samples, s -> s.result().p50()),
        median(samples, s -> s.result().p99()),
        median(samples, s -> s.result().p999()),
        median(samples, Sample::cpu),
        median(samples, Sample::allocated),
        samples.stream().mapToLong(s -> s.result().failed()).sum());
  }

  private static double median(List<Sample> samples, ToDoubleFunction<Sample> figure) {
    return median(samples.stream().mapToDouble(figure).toArray());
  }

  /** The upper one of an even number. */
  static double median(double[] values) {
    var sorted = values.clone();
    java.util.Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
