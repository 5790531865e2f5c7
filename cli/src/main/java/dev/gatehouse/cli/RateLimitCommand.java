package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.ReferenceConfiguration;
import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.cli.reference.ReferenceSettings;
import dev.gatehouse.cli.reference.Variable;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.server.ServerSettings.Http;
import dev.gatehouse.server.ServerSettings.Listener;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "ratelimit",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Rate limits alone: Envoy's rate limit service (envoy.service.ratelimit.v3/ShouldRateLimit).",
      ""
    },
    footer = "")
final class RateLimitCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger("dev.gatehouse");

  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyOptions policies = new PolicyOptions();

  @Mixin(name = "Listening")
  Listening listening = new Listening();

  @Mixin(name = "TLS towards Envoy")
  TlsOptions tls = new TlsOptions();

  @Mixin(name = "Counters")
  RedisOptions redis = new RedisOptions();

  @Mixin(name = "Limits")
  LimitOptions limits = new LimitOptions();

  @Mixin(name = "Server")
  ServerOptions server = new ServerOptions();

  RateLimitCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Listening {
    @Option(
        names = "--listen",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:8081",
        converter = Address.class,
        description = "Where Envoy's gRPC calls arrive. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress grpc;

    @Option(
        names = "--admin",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:8080",
        converter = Address.class,
        description = "HTTP: /healthz, /readyz, /healthcheck, /metrics, /policies, /json, /stats,"
            + " /rlconfig. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress admin;

    @Option(
        names = "--debug",
        paramLabel = "HOST:PORT",
        converter = Address.class,
        description = "HTTP: /stats and /rlconfig, here too.")
    @Nullable
    InetSocketAddress debug;

    @Option(
        names = "--prometheus",
        paramLabel = "HOST:PORT",
        converter = Address.class,
        description = "HTTP: /metrics, or PROMETHEUS_PATH, here too.")
    @Nullable
    InetSocketAddress prometheus;
  }

  @Override
  public Integer call() {
    var env = ReferenceEnvironment.of(terminal.env());
    var configuration = configuration(env);
    if (configuration == null) {
      policies.mustBeThere();
    }
    var secure = tls.settings();
    if (secure == null && env.flag(Variable.GRPC_SERVER_USE_TLS)) {
      throw new Failure(
          "GRPC_SERVER_USE_TLS=true needs GRPC_SERVER_TLS_CERT and GRPC_SERVER_TLS_KEY");
    }
    server.configureLogs();
    env.notHonoured().forEach(LOG::warn);
    var settings =
        ReferenceSettings.with(env, limits.settings(redis.redis(terminal.env())), LOG::warn);
    var serving = server
        .settings(List.of(new Listener(grpc(env), secure, List.of("ratelimit"))), listening.admin)
        .withHttp(http(env));
    return Serving.serve(
        policies,
        server,
        serving,
        List.of((source, context) -> configuration == null
            ? RateLimit.create(source, settings, context)
            : ConfiguredRateLimit.create(
                source,
                configuration,
                env.flag(Variable.MERGE_DOMAIN_CONFIG),
                !env.flag(Variable.FORCE_START_WITHOUT_INITIAL_CONFIG),
                settings,
                context)),
        Map.of(
            "ratelimit", "--listen",
            "admin", "--admin",
            "debug", "--debug",
            "prometheus", "--prometheus"),
        this::say);
  }

  private static @Nullable ReferenceConfiguration configuration(ReferenceEnvironment env) {
    try {
      return ReferenceConfiguration.of(env);
    } catch (IllegalArgumentException e) {
      throw new Failure(String.valueOf(e.getMessage()), e);
    }
  }

  private SocketAddress grpc(ReferenceEnvironment env) {
    return env.text(Variable.GRPC_UDS)
        .<SocketAddress>map(DomainSocketAddress::new)
        .orElse(listening.grpc);
  }

  private List<Http> http(ReferenceEnvironment env) {
    var more = new ArrayList<Http>();
    if (listening.debug != null) {
      more.add(
          new Http("debug", listening.debug, Map.of("/stats", "/stats", "/rlconfig", "/rlconfig")));
    }
    if (listening.prometheus != null) {
      more.add(
          new Http("prometheus", listening.prometheus, Map.of(prometheusPath(env), "/metrics")));
    }
    return more;
  }

  /** No request has a path without a slash. */
  static String prometheusPath(ReferenceEnvironment env) {
    var path = env.textOrUsual(Variable.PROMETHEUS_PATH);
    return path.startsWith("/") ? path : "/" + path;
  }

  private void say(GatehouseServer started) {
    if (ReferenceEnvironment.of(terminal.env()).isSet(Variable.GRPC_UDS)) {
      terminal.out().printf("%-10s http://%s%n", "admin", Address.text(started.admin()));
      return;
    }
    Serving.say(terminal, started, List.of("ratelimit"));
  }
}
