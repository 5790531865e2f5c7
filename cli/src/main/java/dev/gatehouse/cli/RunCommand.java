package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthz;
import dev.gatehouse.extproc.ExtProc;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.ratelimit.RateLimit;
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
    name = "run",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {"All three services in one process.", ""},
    footer = {
      "",
      "Example:",
      "  gatehouse run --policies policies/ --redis-url redis://127.0.0.1:6379",
      "Envoy's configuration for it: gatehouse wire envoy --policies policies/ --out envoy/"
    })
final class RunCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyOptions policies = new PolicyOptions();

  @Mixin(name = "Listening")
  Listening listening = new Listening();

  @Mixin(name = "TLS towards Envoy")
  TlsOptions tls = new TlsOptions();

  @Mixin(name = "Authorization")
  AuthzOptions authz = new AuthzOptions();

  @Mixin(name = "Counters")
  RedisOptions redis = new RedisOptions();

  @Mixin(name = "Limits")
  LimitOptions limits = new LimitOptions();

  @Mixin(name = "Server")
  ServerOptions server = new ServerOptions();

  RunCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Listening {
    @Option(
        names = "--ext-authz-listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9001",
        converter = Address.class,
        description = "Default: ${DEFAULT-VALUE}.")
    InetSocketAddress extAuthz;

    @Option(
        names = "--ratelimit-listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:8081",
        converter = Address.class,
        description = "Default: ${DEFAULT-VALUE}.")
    InetSocketAddress ratelimit;

    @Option(
        names = "--ext-proc-listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9002",
        converter = Address.class,
        description = "Default: ${DEFAULT-VALUE}.")
    InetSocketAddress extProc;

    @Option(
        names = "--admin",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:9100",
        converter = Address.class,
        description = "HTTP: /healthz, /readyz, /metrics, /policies. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress admin;
  }

  @Override
  public Integer call() {
    policies.mustBeThere();
    var secure = tls.settings();
    var counting = limits.settings(redis.redis(terminal.env()));
    return Serving.serve(
        policies,
        server,
        server.settings(
            List.of(
                new Listener(listening.extAuthz, secure, List.of("ext-authz")),
                new Listener(listening.ratelimit, secure, List.of("ratelimit")),
                new Listener(listening.extProc, secure, List.of("ext-proc"))),
            listening.admin),
        List.of(
            (source, context) -> ExtAuthz.create(source, authz.settings(policies), context),
            (source, context) -> RateLimit.create(source, counting, context),
            (source, context) -> ExtProc.create(
                source,
                new ExtProcSettings(policies.matchRoutes, policies.addressFromHeader()),
                context)),
        Map.of(
            "ext-authz", "--ext-authz-listen",
            "ratelimit", "--ratelimit-listen",
            "ext-proc", "--ext-proc-listen",
            "admin", "--admin"),
        this::say);
  }

  private void say(GatehouseServer started) {
    Serving.say(terminal, started, List.of("ext-authz", "ratelimit", "ext-proc"));
  }
}
