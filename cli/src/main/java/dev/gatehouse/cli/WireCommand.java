package dev.gatehouse.cli;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Front;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "wire",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "PROXY",
    description = {
      "Writes what a proxy needs to call the services: 'wire envoy', 'wire envoy-gateway'.",
      ""
    },
    commandListHeading = "%nProxies:%n",
    subcommands = {WireCommand.ForEnvoy.class, WireEnvoyGatewayCommand.class})
final class WireCommand implements Runnable {
  /** Where the services are by default. */
  static final WireSettings LOCAL = new WireSettings(
      new WireSettings.Address("127.0.0.1", 9001),
      new WireSettings.Address("127.0.0.1", 8081),
      new WireSettings.Address("127.0.0.1", 9002),
      new WireSettings.Address("127.0.0.1", 9901),
      "0.0.0.0",
      Map.of(),
      Map.of(),
      null);

  @Spec
  CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Missing the proxy: gatehouse wire envoy, or wire envoy-gateway");
  }

  @Command(
      name = "envoy",
      mixinStandardHelpOptions = true,
      abbreviateSynopsis = true,
      description = {
        "A complete Envoy configuration made of a folder of policies.",
        "",
        "With --out it is a bootstrap (envoy.yaml) with listener, route and cluster files that Envoy",
        "watches: run it again after a change. Without --out it is one static file on the standard output.",
        ""
      },
      footer = {
        "",
        "Example:",
        "  gatehouse wire envoy --policies policies/ --out envoy/ && envoy -c envoy/envoy.yaml"
      })
  static final class ForEnvoy implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin(name = "Policies")
    PolicyFolders policies = new PolicyFolders();

    @Option(
        names = "--out",
        paramLabel = "DIR",
        description = "The folder to write to; made if it is not there.")
    @Nullable
    Path out;

    @Mixin(name = "Addresses")
    Addresses addresses = new Addresses();

    ForEnvoy(Terminal terminal) {
      this.terminal = terminal;
    }

    static final class Addresses {
      @Option(
          names = "--ext-authz",
          paramLabel = "HOST:PORT",
          defaultValue = "127.0.0.1:9001",
          converter = ServiceAddress.class,
          description = "Where ext-authz listens. Default: ${DEFAULT-VALUE}.")
      WireSettings.Address extAuthz;

      @Option(
          names = "--ratelimit",
          paramLabel = "HOST:PORT",
          defaultValue = "127.0.0.1:8081",
          converter = ServiceAddress.class,
          description = "Where ratelimit listens. Default: ${DEFAULT-VALUE}.")
      WireSettings.Address ratelimit;

      @Option(
          names = "--ext-proc",
          paramLabel = "HOST:PORT",
          defaultValue = "127.0.0.1:9002",
          converter = ServiceAddress.class,
          description = "Where ext-proc listens. Default: ${DEFAULT-VALUE}.")
      WireSettings.Address extProc;

      @Option(
          names = "--envoy-admin",
          paramLabel = "HOST:PORT",
          defaultValue = "127.0.0.1:9901",
          converter = ServiceAddress.class,
          description = "Envoy's admin interface. Default: ${DEFAULT-VALUE}.")
      WireSettings.Address admin;

      @Option(
          names = "--bind",
          paramLabel = "HOST",
          defaultValue = "0.0.0.0",
          description = "Where Envoy's listeners bind. Default: ${DEFAULT-VALUE}.")
      String bind = "0.0.0.0";

      @Option(
          names = "--listener-port",
          paramLabel = "NAMESPACE/GATEWAY/LISTENER=PORT",
          description = "Another port than the Gateway's for a listener.")
      Map<String, Integer> listenerPorts = new HashMap<>();

      @Option(
          names = "--backend",
          paramLabel = "NAMESPACE/NAME=HOST:PORT",
          description = "Another address than the Backend's.")
      Map<String, String> backends = new HashMap<>();

      WireSettings settings(@Nullable Path out) {
        var where = new HashMap<String, WireSettings.Address>();
        backends.forEach((name, address) -> where.put(name, new ServiceAddress().convert(address)));
        return new WireSettings(
            extAuthz,
            ratelimit,
            extProc,
            admin,
            bind,
            listenerPorts,
            where,
            out == null ? null : out.toAbsolutePath().normalize().toString());
      }
    }

    @Override
    public Integer call() throws IOException {
      var load = Checked.load(policies.folders(), Front.ENVOY);
      var problems = new Problems();
      var config = EnvoyConfig.of(load.policies(), addresses.settings(out), problems);
      Stream.concat(load.problems().stream(), problems.all().stream())
          .distinct()
          .forEach(problem -> terminal.err().println(problem));
      if (out == null) {
        config.files().values().forEach(terminal.out()::print);
        terminal.out().flush();
      } else {
        Files.createDirectories(out);
        config.write(out);
        config.files().keySet().forEach(file -> terminal.out().println(out.resolve(file)));
      }
      return hasErrors(load.problems()) || problems.hasErrors() ? 1 : 0;
    }
  }

  static boolean hasErrors(List<Problem> problems) {
    return problems.stream().anyMatch(problem -> problem.severity() == Severity.ERROR);
  }

  /** A host name is Envoy's to resolve. */
  static final class ServiceAddress
      implements picocli.CommandLine.ITypeConverter<WireSettings.Address> {
    @Override
    public WireSettings.Address convert(String text) {
      try {
        return WireSettings.Address.parse(text);
      } catch (RuntimeException e) {
        throw new picocli.CommandLine.TypeConversionException(
            "\"" + text + "\" (expected: HOST:PORT, such as 127.0.0.1:9001)");
      }
    }
  }
}
