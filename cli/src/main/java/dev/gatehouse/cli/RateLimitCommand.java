package dev.gatehouse.cli;

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
    name = "ratelimit",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Rate limits alone: Envoy's rate limit service (envoy.service.ratelimit.v3/ShouldRateLimit).",
      ""
    },
    footer = {
      "",
      "Environment of envoyproxy/ratelimit that is read too, below the flags and variables above:",
      "  GRPC_HOST, GRPC_PORT          --listen; bin/ratelimit listens on 0.0.0.0:8081 by default",
      "  HOST, PORT                    --admin; bin/ratelimit serves it on 0.0.0.0:8080 by default",
      "  GRPC_SERVER_USE_TLS, GRPC_SERVER_TLS_CERT, GRPC_SERVER_TLS_KEY, GRPC_CLIENT_TLS_CACERT,",
      "  GRPC_SERVER_TLS_CA_CERT       the --tls-… options",
      "  REDIS_URL, REDIS_SOCKET_TYPE, REDIS_AUTH, REDIS_TLS    --redis-url",
      "  REDIS_TIMEOUT                 --redis-timeout",
      "  CACHE_KEY_PREFIX              --redis-key-prefix",
      "  LOG_LEVEL                     trace, debug, info, warn, error",
      "",
      "Example:",
      "  REDIS_SOCKET_TYPE=tcp REDIS_URL=127.0.0.1:6379 gatehouse ratelimit --policies policies/"
    })
final class RateLimitCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyOptions policies = new PolicyOptions();

  @Mixin(name = "Listening")
  Listening listening = new Listening();

  @Mixin(name = "TLS towards Envoy")
  TlsOptions tls = new TlsOptions();

  @Mixin(name = "Counters")
  RedisOptions redis = new RedisOptions();

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
        description = "HTTP: /healthz, /readyz, /metrics, /policies. Default: ${DEFAULT-VALUE}.")
    InetSocketAddress admin;
  }

  @Override
  public Integer call() {
    return Serving.serve(
        policies,
        server,
        server.settings(
            List.of(new Listener(listening.grpc, tls.settings(), List.of("ratelimit"))),
            listening.admin),
        List.of((source, context) -> RateLimit.create(source, redis.settings(), context)),
        Map.of("ratelimit", "--listen", "admin", "--admin"),
        this::say);
  }

  private void say(GatehouseServer started) {
    Serving.say(terminal, started, List.of("ratelimit"));
  }
}
