package dev.gatehouse.cli;

import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Front;
import dev.gatehouse.wire.envoygateway.ExtensionPolicies;
import dev.gatehouse.wire.envoygateway.ServiceRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "envoy-gateway",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "EnvoyExtensionPolicies, by which Envoy Gateway asks ext-proc.",
      "",
      "One a route that a TransformPolicy changes or, where rules of a route need different things, one a",
      "rule. Each sends as little as the steps need. Beside them a ReferenceGrant, where ext-proc is in",
      "another namespace.",
      ""
    },
    footer = {
      "",
      "Ends with 1 when there is an error, such as a route that has an EnvoyExtensionPolicy of somebody",
      "else: the gateway takes one a target.",
      "",
      "Example:",
      "  gatehouse wire envoy-gateway --policies policies/ \\",
      "    --ext-proc-service gatehouse/ext-proc:9002 | kubectl apply -f -"
    })
final class WireEnvoyGatewayCommand implements Callable<Integer> {
  private static final String FILE = "envoy-extension-policies.yaml";

  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyFolders policies = new PolicyFolders();

  @Option(
      names = "--ext-proc-service",
      paramLabel = "NAMESPACE/NAME:PORT",
      required = true,
      converter = LintCommand.ServiceName.class,
      description = "The Service that ext-proc is; or Backend/NAMESPACE/NAME, a Backend with its"
          + " address.")
  @Nullable
  ServiceRef service;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder to write " + FILE
          + " to; made if it is not there. Default: the standard" + " output.")
  @Nullable
  Path out;

  WireEnvoyGatewayCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    var load = Checked.load(policies.folders(), Front.ENVOY_GATEWAY);
    var problems = new Problems();
    var yaml = ExtensionPolicies.yaml(load.policies(), Objects.requireNonNull(service), problems);
    Stream.concat(load.problems().stream(), problems.all().stream())
        .filter(problem -> problem.severity() != Severity.NOTICE)
        .distinct()
        .forEach(problem -> terminal.err().println(problem));
    if (out == null) {
      terminal.out().print(yaml);
      terminal.out().flush();
    } else {
      Files.createDirectories(out);
      Files.writeString(out.resolve(FILE), yaml);
      terminal.out().println(out.resolve(FILE));
    }
    return WireCommand.hasErrors(load.problems()) || problems.hasErrors() ? 1 : 0;
  }
}
