package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthz;
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
    name = "ext-authz",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Authorization alone: Envoy's ext_authz (envoy.service.auth.v3.Authorization/Check).",
      ""
    },
    footer = {
      "",
      "Example:",
      "  gatehouse ext-authz --policies policies/ --listen :9001 --tls-cert tls.crt --tls-key tls.key"
    })
final class ExtAuthzCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyOptions policies = new PolicyOptions();

  @Mixin(name = "Listening")
  Listening listening = new Listening();

  @Mixin(name = "TLS towards Envoy")
  TlsOptions tls = new TlsOptions();

  @Mixin(name = "Authorization")
  AuthzOptions authz = new AuthzOptions();

  @Mixin(name = "Server")
  ServerOptions server = new ServerOptions();

  ExtAuthzCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Listening {
    @Option(
        names = "--listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9001",
        converter = Address.class,
        description = "Where Envoy's gRPC calls arrive. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress grpc;

    @Option(
        names = "--admin",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9101",
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
            List.of(new Listener(listening.grpc, tls.settings(), List.of("ext-authz"))),
            listening.admin),
        List.of((source, context) -> ExtAuthz.create(source, authz.settings(policies), context)),
        Map.of("ext-authz", "--listen", "admin", "--admin"),
        this::say);
  }

  private void say(GatehouseServer started) {
    Serving.say(terminal, started, List.of("ext-authz"));
  }
}
