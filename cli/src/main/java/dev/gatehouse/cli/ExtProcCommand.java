package dev.gatehouse.cli;

import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings.Listener;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "ext-proc",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Transformation alone: Envoy's ext_proc (envoy.service.ext_proc.v3.ExternalProcessor/Process).",
      ""
    },
    footer = {
      "",
      "Example:",
      "  gatehouse ext-proc --policies policies/ --listen :9002 --tls-cert tls.crt --tls-key tls.key"
    })
final class ExtProcCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyOptions policies = new PolicyOptions();

  @Mixin(name = "Listening")
  Listening listening = new Listening();

  @Mixin(name = "TLS towards Envoy")
  TlsOptions tls = new TlsOptions();

  @Mixin(name = "Server")
  ServerOptions server = new ServerOptions();

  ExtProcCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Listening {
    @Option(
        names = "--listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9002",
        converter = Address.class,
        description = "Where Envoy's gRPC calls arrive. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress grpc;

    @Option(
        names = "--admin",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9102",
        converter = Address.class,
        description = "HTTP: /healthz, /readyz, /metrics, /policies. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress admin;
  }

  @Override
  public Integer call() {
    policies.mustBeThere();
    return Serving.serve(
        policies,
        server,
        server.settings(
            List.of(new Listener(listening.grpc, tls.settings(), List.of("ext-proc"))),
            listening.admin),
        List.of((source, context) -> ExtProc.create(
            source,
            new ExtProcSettings(policies.matchRoutes, policies.addressFromHeader()),
            context)),
        Map.of("ext-proc", "--listen", "admin", "--admin"),
        this::say);
  }

  private void say(GatehouseServer started) {
    Serving.say(terminal, started, List.of("ext-proc"));
  }
}
