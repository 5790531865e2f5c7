package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.InForce;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.Patience;
import dev.gatehouse.sandbox.Ports;
import dev.gatehouse.sandbox.Shop;
import dev.gatehouse.sandbox.Upstream;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.log.Logs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {"A small shop behind a real Envoy, with all three services, in one command.", ""
    },
    footer = {
      "",
      "Finds or gets an Envoy (ENVOY_BIN, the PATH, the user's cache folder, Python's pip, a container",
      "engine), starts everything, prints lines to paste, and shows each request as it is decided.",
      "Edit the policies while it runs. Ctrl-C ends everything."
    })
final class DemoCommand implements Callable<Integer> {
  enum Output {
    text,
    json
  }

  private static final Duration CHECK_WAITS = Duration.ofSeconds(2);

  private final Terminal terminal;

  @Option(
      names = "--policies",
      paramLabel = "DIR",
      description =
          "Your own folder of policies instead of the shop's; every Backend is the demo's upstream.")
  @Nullable
  Path policies;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Where Envoy listens; 0 takes a free port. Default: ${DEFAULT-VALUE}.")
  int port;

  @Option(
      names = "--check",
      description =
          "Run the printed lines, compare each answer with the promised one, and end: with 0 if all"
              + " are as promised, else 1.")
  boolean check;

  @Option(
      names = "--output",
      paramLabel = "FORM",
      defaultValue = "text",
      description =
          "How requests are shown: text, or json with one object a line. Default: ${DEFAULT-VALUE}.")
  Output output = Output.text;

  @Mixin(name = "Counters")
  RedisOptions redis = new RedisOptions();

  DemoCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    var begun = System.nanoTime();
    if (port != 0 && !Ports.isFree(port)) {
      throw new Failure("port " + port + " is taken (choose another with --port, or leave it out)");
    }
    var folder = folder();
    // Requests and reloads are shown by the live view; the log is for what nobody expected.
    Logs.configure(Level.WARN, Logs.Format.TEXT);
    var envoy = EnvoyBinary.find(terminal.env(), terminal.err()::println);
    var view = new LiveView(terminal, output == Output.json);
    try (var running = new Running(folder, envoy, view)) {
      running.report((System.nanoTime() - begun) / 1_000_000);
      return check
          ? new DemoCheck(terminal, running.tour(), running.endpoint())
              .run(redis.redis(terminal.env()) != null)
          : running.untilTheEnd();
    }
  }

  private Path folder() {
    var given = policies;
    if (given == null) {
      var sources = terminal.env().get("GATEHOUSE_DEMO_POLICIES");
      var home = System.getProperty("gatehouse.home");
      if (sources == null && home == null) {
        throw new Failure("the demo's policies are not known here; name a folder with --policies");
      }
      given = sources != null ? Path.of(sources) : Path.of(home, "demo", "policies");
    }
    if (!Files.isDirectory(given)) {
      throw new Failure("the policies' folder " + given + " is not there");
    }
    return given;
  }

  /** Everything that the demo runs; ends it all, also on Ctrl-C and SIGTERM. */
  private final class Running implements AutoCloseable {
    private final Path folder;
    private final Path work = Files.createTempDirectory("gatehouse-demo");
    private final Issuer issuer = Issuer.demo();
    private final Upstream upstream =
        Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new Shop());
    private final LiveView view;
    private final Gate gate;
    private final Tour tour;
    private final Thread onSignal = new Thread(this::end, "gatehouse-demo-stop");
    private boolean ended;

    Running(Path folder, Path envoy, LiveView view) throws IOException {
      this.folder = folder;
      this.view = view;
      Runtime.getRuntime().addShutdownHook(onSignal);
      gate = Gate.open(
          new Gate.Settings(
              List.of(folder),
              work,
              envoy,
              port,
              backend -> upstream.port(),
              ExtAuthzSettings.defaults(),
              counters(),
              ExtProcSettings.defaults(),
              check ? DecisionListener.NONE : view,
              check ? Patience::with : UnaryOperator.identity(),
              check ? null : view::finished),
          view::reloaded);
      tour = new Tour("http://localhost:" + endpoint().address().getPort(), issuer);
    }

    /** A check begins with empty counters, whatever the Redis holds, and compares answers, not latencies. */
    private RateLimitSettings counters() {
      var given = redis.settings(terminal.env());
      var prefix = "gatehouse-demo:" + (check ? UUID.randomUUID() + ":" : "");
      var counters = given.redis();
      if (counters == null) {
        return given;
      }
      var timeout = check ? CHECK_WAITS : counters.timeout();
      return given.withRedis(counters.with(timeout, prefix + counters.keyPrefix()));
    }

    Gate.Endpoint endpoint() {
      var endpoints = gate.endpoints();
      if (endpoints.isEmpty()) {
        throw new Failure("the policies in " + folder + " have no Gateway with a listener");
      }
      return endpoints.values().iterator().next();
    }

    Tour tour() {
      return tour;
    }

    void report(long millis) {
      if (output == Output.json) {
        return;
      }
      var out = terminal.out();
      out.println();
      out.println(
          terminal.bold("Gatehouse is at the gate (ready in %.1f s)".formatted(millis / 1000.0)));
      out.println();
      gate.endpoints()
          .forEach((listener, endpoint) -> row(
              "Envoy",
              (endpoint.tls() ? "https" : "http")
                  + "://localhost:"
                  + endpoint.address().getPort(),
              "the Gateway's port " + listener));
      row("", "http://" + gate.envoy().admin().address(), "Envoy's admin interface");
      row("ext-authz", Address.text(gate.server().address("ext-authz")), "gRPC");
      row("ext-proc", Address.text(gate.server().address("ext-proc")), "gRPC");
      row(
          "ratelimit",
          Address.text(gate.server().address("ratelimit")),
          redis.redis(terminal.env()) == null
              ? "gRPC; counters in memory (REDIS_URL is not set)"
              : "gRPC; counters in Redis");
      row(
          "admin",
          "http://" + Address.text(gate.server().admin()),
          "/healthz /readyz /metrics /policies");
      row("upstream", "http://127.0.0.1:" + upstream.port(), "the shop, without a gate");
      row("policies", folder.toString(), "edit them: a change takes effect at once");
      out.println();
      problems(gate.inForce());
      if (policies == null && !check) {
        tour.print(terminal);
      }
      if (!check) {
        out.println(terminal.dim("Each request, as it is decided (Ctrl-C ends everything):"));
      }
    }

    private void row(String what, String where, String more) {
      terminal.out().printf("  %-10s %-34s %s%n", what, where, terminal.dim(more));
    }

    private void problems(InForce inForce) {
      for (var problem : inForce.problems()) {
        if (problem.severity() != Problem.Severity.NOTICE) {
          terminal.out().println(terminal.yellow(problem.toString()));
        }
      }
      for (var problem : gate.wireProblems()) {
        terminal.out().println(terminal.yellow(problem.toString()));
      }
    }

    int untilTheEnd() {
      gate.envoy().awaitEnd();
      synchronized (this) {
        if (ended) {
          return 0;
        }
      }
      throw new Failure("Envoy ended by itself:\n" + gate.envoy().logTail(10));
    }

    private synchronized void end() {
      if (ended) {
        return;
      }
      ended = true;
      view.close();
      if (gate != null) {
        gate.close();
      }
      upstream.close();
      issuer.close();
      try (var files = Files.walk(work)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      } catch (IOException e) {
        terminal.err().println("gatehouse: " + work + " is left behind: " + e.getMessage());
      }
    }

    @Override
    public void close() {
      end();
      try {
        Runtime.getRuntime().removeShutdownHook(onSignal);
      } catch (IllegalStateException e) {
        // The hook is what runs us.
      }
    }
  }
}
