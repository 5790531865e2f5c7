package dev.gatehouse.bench;

import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What three changes of headers each way add to a request's latency through a real Envoy, in several ways to make them. */
@Command(
    name = "latency",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Requests without bodies through a real Envoy at a constant rate: no filter, Envoy's header_mutation, Lua, and ext-proc",
      "as it is shipped; all but the first make the same three changes each way. They take turns, round after round, at half",
      "of what the slowest took at saturation. A latency counts from when the request was due."
    })
final class Latency implements Callable<Integer> {
  private static final int CONNECTIONS = 32;

  /** Of the three changes that a client sees. */
  private static final String ADDED = "strict-transport-security";

  private final Opened opened = new Opened();

  @Mixin
  private Timing timing;

  @Option(
      names = "--rate",
      paramLabel = "REQUESTS",
      defaultValue = "0",
      description = "a second, instead of half of what the slowest took")
  private double rate;

  /** One way to make the changes. */
  private record Arm(String name, HttpLoad load, List<Sample> samples) {}

  /** CPU in microseconds a request. */
  private record Sample(Load.Result result, double envoy, double extProc) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    try {
      measure(opened(Scratch.create()).path());
    } finally {
      close();
    }
    return 0;
  }

  private void measure(Path folder) throws IOException, InterruptedException {
    var ports = opened(new Ports());
    var binary = EnvoyBinary.find(System.getenv(), Bench::progress);
    var policies = Files.createDirectories(folder.resolve("policies"));
    Files.writeString(policies.resolve("policies.yaml"), Shop.resource("headers.yaml"));
    var extProc = opened(ServerProcess.launch("ext-proc", policies, "", folder));
    int upstreamPort = ports.free();
    opened(envoy(
        binary,
        folder,
        "upstream",
        ports.free(),
        Shop.resource("latency-upstream.yaml").replace("${port}", Integer.toString(upstreamPort))));
    var listeners = new LinkedHashMap<String, Integer>();
    for (var name : List.of("no filter", "header_mutation", "Lua", "ext-proc")) {
      listeners.put(name, ports.free());
    }
    var proxy = opened(envoy(
        binary,
        folder,
        "envoy",
        ports.free(),
        config(listeners)
            .replace("${upstream}", Integer.toString(upstreamPort))
            .replace("${ext-proc}", Integer.toString(extProc.address().getPort()))));

    var arms = new ArrayList<Arm>();
    for (var listener : listeners.entrySet()) {
      requireChanges(listener.getKey(), listener.getValue());
      var load = opened(new HttpLoad(listener.getValue(), CONNECTIONS, Messages.httpRequest()));
      arms.add(new Arm(listener.getKey(), load, new ArrayList<>()));
    }
    double slowest = Double.MAX_VALUE;
    for (var arm : arms) {
      Bench.progress("warming up and saturating %s", arm.name);
      arm.load.saturate(timing.warmUp);
      var result = arm.load.saturate(timing.seconds);
      System.out.printf(
          Locale.ROOT, "%-16s %,8.0f requests/s at saturation%n", arm.name, result.rate());
      slowest = Math.min(slowest, result.rate());
    }
    double perSecond = rate > 0 ? rate : slowest / 2;
    for (int round = 1; round <= timing.rounds; round++) {
      Bench.progress("%,.0f requests/s, round %d of %d", perSecond, round, timing.rounds);
      for (var arm : arms) {
        arm.samples.add(sample(arm, perSecond, proxy.pid(), extProc.pid()));
      }
    }
    print(arms, perSecond);
  }

  private Sample sample(Arm arm, double perSecond, long envoy, long extProc)
      throws IOException, InterruptedException {
    double envoyBefore = ServerProcess.cpuSeconds(envoy);
    double extProcBefore = ServerProcess.cpuSeconds(extProc);
    var result = arm.load.atRate(perSecond, timing.seconds);
    double micros = 1e6 / Math.max(1, result.requests());
    return new Sample(
        result,
        (ServerProcess.cpuSeconds(envoy) - envoyBefore) * micros,
        (ServerProcess.cpuSeconds(extProc) - extProcBefore) * micros);
  }

  private static String config(Map<String, Integer> listeners) {
    var config = new StringBuilder(Shop.resource("latency-envoy.yaml"));
    var listener = Shop.resource("latency-listener.yaml");
    listeners.forEach((name, port) -> {
      var file = name.toLowerCase(Locale.ROOT).replace('_', '-');
      var filter = name.equals("no filter") ? "" : Shop.resource("latency-" + file + ".yaml");
      config.append(listener
          .replace("${name}", file.replace(' ', '-'))
          .replace("${port}", Integer.toString(port))
          .replace("${filter}\n", filter.indent(10)));
    });
    return config.toString();
  }

  private static Envoy envoy(Path binary, Path folder, String name, int admin, String config)
      throws IOException {
    var file = folder.resolve(name + ".yaml");
    Files.writeString(file, config.replace("${admin}", Integer.toString(admin)));
    return Envoy.start(binary, file, admin, folder.resolve(name + ".log"));
  }

  /** What is measured does what the others do, and without a filter nothing is done. */
  private static void requireChanges(String arm, int port)
      throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var headers = client
          .send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/orders/4711"))
                  .build(),
              HttpResponse.BodyHandlers.discarding())
          .headers();
      boolean changes = !arm.equals("no filter");
      var seen = headers.firstValue("x-gateway-seen").orElse("");
      if (headers.firstValue(ADDED).isPresent() != changes
          || headers.firstValue("x-internal").isPresent() == changes
          || seen.equals("gatehouse") != changes) {
        throw new IllegalStateException(arm + " does not make the changes: " + headers.map());
      }
    }
  }

  private static void print(List<Arm> arms, double perSecond) {
    System.out.printf(
        Locale.ROOT,
        "%n%,8.0f requests/s %9s %9s %9s   added: %7s %9s %9s   CPU: %8s %8s %7s%n",
        perSecond,
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "Envoy µs",
        "ours µs",
        "failed");
    var bare = arms.getFirst();
    for (var arm : arms) {
      System.out.printf(
          Locale.ROOT,
          "%-19s %9.0f %9.0f %9.0f          %7.0f %9.0f %9.0f        %8.1f %8.1f %7d%n",
          arm.name,
          median(arm, s -> s.result.p50()),
          median(arm, s -> s.result.p99()),
          median(arm, s -> s.result.p999()),
          added(arm, bare, s -> s.result.p50()),
          added(arm, bare, s -> s.result.p99()),
          added(arm, bare, s -> s.result.p999()),
          median(arm, Sample::envoy),
          median(arm, Sample::extProc),
          arm.samples.stream().mapToLong(s -> s.result.failed()).sum());
    }
  }

  private static double median(Arm arm, ToDoubleFunction<Sample> figure) {
    return Rounds.median(arm.samples.stream().mapToDouble(figure).toArray());
  }

  /** Of each round's two, which ran one soon after the other. */
  private static double added(Arm arm, Arm bare, ToDoubleFunction<Sample> figure) {
    var added = new double[arm.samples.size()];
    for (int i = 0; i < added.length; i++) {
      added[i] =
          figure.applyAsDouble(arm.samples.get(i)) - figure.applyAsDouble(bare.samples.get(i));
    }
    return Rounds.median(added);
  }

  private <C extends AutoCloseable> C opened(C closeable) {
    return opened.add(closeable);
  }

  private void close() {
    opened.close();
  }
}
