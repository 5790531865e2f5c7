package dev.gatehouse.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares a service with an empty gRPC server in one run: requests a second, latency, and server CPU a request. */
@Command(
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Drives the empty server and ours in turn, as Envoy does: 2 connections, 16 calls in flight on each.",
      "Then all at one open-loop rate, half of what the slowest took. Prints medians over the rounds.",
      "The bars of docs/performance.md are ratios of server CPU a request at saturation."
    })
final class Compare implements Callable<Integer> {
  private static final int FEW = 10;
  private static final int MANY = 10_000;

  /** Of the many routes: each once. */
  private static final int CALLS_ON_ROUTES = 10_000;

  private final Scenario scenario;

  @Mixin
  private Timing timing;

  @Option(
      names = "--redis",
      paramLabel = "URL",
      description = "counters in this Redis; else in memory (ratelimit)")
  private @Nullable String redis;

  @Option(
      names = "--algorithm",
      paramLabel = "NAME",
      description = "FixedWindow, SlidingWindow or TokenBucket (ratelimit)")
  private @Nullable String algorithm;

  @Option(
      names = "--denied",
      paramLabel = "HOW",
      defaultValue = "counted",
      description =
          "counted, or not-counted: a denied request consumes none of its limits (ratelimit)")
  private String denied = "counted";

  @Option(
      names = "--nested",
      description = "two descriptors a request: the caller's, and the route's, which all share"
          + " (ratelimit)")
  private boolean nested;

  @Option(
      names = "--address",
      paramLabel = "HOST:PORT",
      description = "measure this server instead of ours (not authz-routes and ratelimit-rules)")
  private @Nullable String address;

  @Option(names = "--pid", description = "the process of the server at --address")
  private @Nullable Long pid;

  Compare(Scenario scenario) {
    this.scenario = scenario;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if ((address == null) != (pid == null)) {
      System.err.println("--address and --pid go together");
      return 2;
    }
    if (address != null
        && (scenario == Scenario.AUTHZ_ROUTES || scenario == Scenario.RATELIMIT_RULES)) {
      System.err.println(scenario.word + " compares two of ours: --address does not fit");
      return 2;
    }
    if (!denied.equals("counted") && !denied.equals("not-counted")) {
      System.err.println("--denied " + denied + " (expected: counted or not-counted)");
      return 2;
    }
    try (var stage = new Stage(scenario)) {
      switch (scenario) {
        case AUTHZ,
            AUTHZ_FIRST,
            AUTHZ_APIKEY,
            RATELIMIT,
            RATELIMIT_DENIED,
            EXT_PROC,
            EXT_PROC_MASK -> one(stage);
        case AUTHZ_ROUTES, RATELIMIT_RULES -> routes(stage);
      }
    }
    return 0;
  }

  private void one(Stage stage) throws IOException, InterruptedException {
    var calls = nested ? Messages.nestedLimits(stage.shop) : Messages.of(scenario, stage.shop);
    var same = Feed.same(calls);
    var feed = scenario == Scenario.AUTHZ_FIRST ? Feed.fresh(stage.shop) : same;
    Rounds.Server ours;
    List<byte[]> answers;
    if (address == null) {
      Consumer<Path> policies =
          nested ? stage.shop::writeNestedLimits : folder -> stage.shop.write(scenario, folder);
      var started = start(stage, "ours", policies, calls.getFirst());
      ours = new Rounds.Server("ours", started.load(), started.process().pid(), feed);
      answers = started.answers();
    } else {
      var load = stage.drive(hostAndPort(address));
      ours = new Rounds.Server("ours", load, Objects.requireNonNull(pid), feed);
      answers = load.ask(calls.getFirst());
    }
    if (scenario == Scenario.EXT_PROC_MASK) {
      Messages.requireMasked(answers);
    }
    System.out.printf(
        Locale.ROOT,
        "%s: request %d bytes, answer %d bytes, %d callers%s%n",
        scenario.word,
        calls.getFirst().stream().mapToInt(m -> m.length).sum(),
        answers.stream().mapToInt(m -> m.length).sum(),
        calls.size(),
        redis == null ? "" : ", counters in Redis");
    new Rounds(timing).compare(List.of(empty(stage, answers, same), ours));
  }

  private void routes(Stage stage) throws IOException, InterruptedException {
    var few = callsOn(FEW, stage.shop);
    var many = callsOn(MANY, stage.shop);
    var withFew =
        start(stage, "10", folder -> stage.shop.writeRoutes(scenario, folder, FEW), few.getFirst());
    var withMany = start(
        stage, "10,000", folder -> stage.shop.writeRoutes(scenario, folder, MANY), many.getFirst());
    describe("10", withFew);
    describe("10,000", withMany);
    var manyFeed = Feed.same(many);
    new Rounds(timing)
        .compare(List.of(
            empty(stage, withFew.answers(), manyFeed),
            new Rounds.Server("10", withFew.load(), withFew.process().pid(), Feed.same(few)),
            new Rounds.Server("10,000", withMany.load(), withMany.process().pid(), manyFeed)));
  }

  private List<List<byte[]>> callsOn(int routes, Shop shop) {
    return scenario == Scenario.RATELIMIT_RULES
        ? Messages.limitsOnRoutes(shop, routes, CALLS_ON_ROUTES)
        : Messages.onRoutes(shop, routes, CALLS_ON_ROUTES);
  }

  private static void describe(String policies, Stage.Started server)
      throws IOException, InterruptedException {
    server.process().collectGarbage();
    System.out.printf(
        Locale.ROOT,
        "%s policies: served %.1f s after the start of the process, then %.1f MB of heap in use%n",
        policies,
        server.seconds(),
        server.process().metric("jvm_memory_used_bytes{area=\"heap\"}") / 1e6);
  }

  private Stage.Started start(Stage stage, String name, Consumer<Path> policies, List<byte[]> first)
      throws IOException, InterruptedException {
    var more = new ArrayList<String>();
    if (redis != null) {
      more.addAll(List.of("--redis-url", redis));
    }
    if (algorithm != null) {
      more.addAll(List.of("--default-algorithm", algorithm));
    }
    if (scenario == Scenario.RATELIMIT_DENIED) {
      more.addAll(List.of("--over-limit-cache", "10000000"));
    }
    if (denied.equals("not-counted")) {
      more.add("--all-or-nothing");
    }
    return stage.start(name, ServerProcess.JVM, policies, first, more);
  }

  private static Rounds.Server empty(Stage stage, List<byte[]> answers, Feed feed)
      throws IOException, InterruptedException {
    var process = stage.startEmpty(answers);
    return new Rounds.Server("empty", stage.drive(process.address()), process.pid(), feed);
  }

  private static InetSocketAddress hostAndPort(String text) throws UnknownHostException {
    var colon = text.lastIndexOf(':');
    return new InetSocketAddress(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }
}
