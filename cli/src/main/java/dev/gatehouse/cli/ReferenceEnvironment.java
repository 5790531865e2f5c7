package dev.gatehouse.cli;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The environment variables of envoyproxy/ratelimit, below our own: an installation keeps its settings when the program changes. */
record ReferenceEnvironment(Map<String, String> env) implements IDefaultValueProvider {
  @Override
  public @Nullable String defaultValue(ArgSpec arg) {
    var ours = new Environment(env).defaultValue(arg);
    if (ours != null || !(arg instanceof OptionSpec option)) {
      return ours;
    }
    return switch (option.longestName()) {
      case "--listen" -> address("GRPC_HOST", "GRPC_PORT", "8081");
      case "--admin" -> address("HOST", "PORT", "8080");
      case "--tls-cert" -> tls() ? env.get("GRPC_SERVER_TLS_CERT") : null;
      case "--tls-key" -> tls() ? env.get("GRPC_SERVER_TLS_KEY") : null;
      case "--tls-client-ca" ->
        tls()
            ? env.getOrDefault("GRPC_SERVER_TLS_CA_CERT", env.get("GRPC_CLIENT_TLS_CACERT"))
            : null;
      case "--redis-timeout" -> env.get("REDIS_TIMEOUT");
      case "--redis-key-prefix" -> env.get("CACHE_KEY_PREFIX");
      default -> null;
    };
  }

  /** HOST is also what some shells call the machine: it counts only beside PORT. */
  private @Nullable String address(String host, String port, String usualPort) {
    if (!env.containsKey(port) && !(host.equals("GRPC_HOST") && env.containsKey(host))) {
      return null;
    }
    return env.getOrDefault(host, "0.0.0.0") + ":" + env.getOrDefault(port, usualPort);
  }

  /** The reference takes logrus's names. */
  static @Nullable String level(@Nullable String name) {
    return name == null
        ? null
        : switch (name.toLowerCase(Locale.ROOT)) {
          case "warning" -> "warn";
          case "fatal", "panic" -> "error";
          default -> name;
        };
  }

  private boolean tls() {
    return Boolean.parseBoolean(env.get("GRPC_SERVER_USE_TLS"));
  }

  /** {@code REDIS_URL} as a URL: the reference gives host and port, and the rest in variables beside it. */
  static @Nullable String redisUrl(Map<String, String> env) {
    var url = env.get("REDIS_URL");
    if (url == null || url.isBlank()) {
      return null;
    }
    if (url.contains("://")) {
      return url;
    }
    var auth = env.getOrDefault("REDIS_AUTH", "");
    var login = auth.isEmpty() ? "" : (auth.contains(":") ? auth : ":" + auth) + "@";
    if ("unix".equals(env.get("REDIS_SOCKET_TYPE"))) {
      return "redis-socket://" + login + url;
    }
    var scheme = Boolean.parseBoolean(env.get("REDIS_TLS")) ? "rediss://" : "redis://";
    return scheme + login + url;
  }
}
