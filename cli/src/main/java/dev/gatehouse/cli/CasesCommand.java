package dev.gatehouse.cli;

import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.cases.CaseException;
import dev.gatehouse.sandbox.cases.CaseResult;
import dev.gatehouse.sandbox.cases.CaseRunner;
import dev.gatehouse.sandbox.cases.Target;
import dev.gatehouse.server.log.Logs;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "cases",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {"Runs policy cases: requests through a real Envoy, and what must come back.", ""
    },
    footer = {
      "",
      "A case is a folder with policies/ and requests.yaml (docs/cases.md). Without --target each case",
      "gets an Envoy, services and an upstream of its own. With --target the cases' policies are not",
      "applied: the gateway there has its own. Ends with 1 when a case fails.",
      "",
      "Example:",
      "  gatehouse cases e2e/src/test/cases"
    })
final class CasesCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Parameters(
      paramLabel = "DIR",
      arity = "1..*",
      description = "Folders of cases, searched for requests.yaml.")
  List<Path> folders = List.of();

  @Mixin(name = "Against a gateway that stands already")
  Elsewhere elsewhere = new Elsewhere();

  @Option(
      names = "--redis-url",
      paramLabel = "URL",
      description = "The Redis of cases that count in one. REDIS_URL is read too.")
  @Nullable
  String redisUrl;

  CasesCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Elsewhere {
    @Option(
        names = "--target",
        paramLabel = "URL",
        description =
            "Send the requests there. Tokens are signed with the demo's key, which it must trust.")
    @Nullable
    URI target;

    @Option(
        names = "--upstream-listen",
        paramLabel = "HOST:PORT",
        converter = Address.class,
        description =
            "Be the upstream that the target leads to; without it, expectations of what the upstream"
                + " saw fail.")
    @Nullable
    InetSocketAddress upstream;

    @Option(
        names = "--envoy-admin",
        paramLabel = "HOST:PORT",
        converter = Address.class,
        description =
            "The admin interface of the target's Envoy; without it, expectations of its counters fail.")
    @Nullable
    InetSocketAddress admin;
  }

  @Override
  public Integer call() {
    Logs.configure(Level.ERROR, Logs.Format.TEXT);
    var failed = 0;
    var run = 0;
    try (var runner = runner()) {
      for (var root : folders) {
        if (!Files.isDirectory(root)) {
          throw new Failure(root + " is not a folder");
        }
        var found = CaseRunner.find(root);
        if (found.isEmpty()) {
          throw new Failure("no requests.yaml below " + root);
        }
        for (var folder : found) {
          run++;
          failed += passes(runner, root, folder) ? 0 : 1;
        }
      }
    }
    terminal
        .out()
        .println(
            failed == 0
                ? terminal.green(run + (run == 1 ? " case passes" : " cases pass"))
                : terminal.red(failed + " of " + run + " cases fail"));
    return failed == 0 ? 0 : 1;
  }

  private CaseRunner runner() {
    if (elsewhere.target == null) {
      var envoy = EnvoyBinary.find(terminal.env(), terminal.err()::println);
      var redis = redisUrl != null ? redisUrl : terminal.env().get("REDIS_URL");
      return CaseRunner.onGates(new CaseRunner.Settings(envoy, redis));
    }
    var host = elsewhere.target.getHost();
    var tls = "https".equals(elsewhere.target.getScheme());
    if (host == null || !(tls || "http".equals(elsewhere.target.getScheme()))) {
      throw new Failure(
          "--target=" + elsewhere.target + " (expected: http://HOST:PORT or https://…)");
    }
    var port = elsewhere.target.getPort();
    return CaseRunner.against(new Target(
        new InetSocketAddress(host, port != -1 ? port : tls ? 443 : 80),
        tls,
        elsewhere.upstream,
        elsewhere.admin));
  }

  private boolean passes(CaseRunner runner, Path root, Path folder) {
    var name = root.equals(folder)
        ? String.valueOf(folder.getFileName())
        : root.relativize(folder).toString();
    CaseResult result;
    try {
      result = runner.run(name, folder);
    } catch (CaseException | IllegalStateException e) {
      result = new CaseResult(
          name,
          name,
          List.of(new CaseResult.Step("the case itself", List.of(String.valueOf(e.getMessage())))),
          Duration.ZERO);
    }
    var out = terminal.out();
    out.printf(
        "%s %s %s%n",
        result.passed() ? terminal.green("ok   ") : terminal.red("FAILS"),
        name,
        terminal.dim("%d ms".formatted(result.took().toMillis())));
    if (!result.passed()) {
      result.wrong().lines().forEach(line -> out.println("      " + line));
    }
    out.flush();
    return result.passed();
  }
}
