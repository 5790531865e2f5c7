package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.cli.reference.Variable;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options that the variables of envoyproxy/ratelimit set, below our own: an installation keeps its settings when the program changes. */
record ReferenceDefaults(Map<String, String> env) implements IDefaultValueProvider {
  @Override
  public @Nullable String defaultValue(ArgSpec arg) {
    var ours = new Environment(env).defaultValue(arg);
    if (ours != null || !(arg instanceof OptionSpec option)) {
      return ours;
    }
    return reference(option.longestName()).orElse(null);
  }

  private Optional<String> reference(String option) {
    var reference = ReferenceEnvironment.of(env);
    return switch (option) {
      case "--listen" -> address(reference, Variable.GRPC_HOST, Variable.GRPC_PORT);
      case "--admin" -> admin(reference);
      case "--debug" -> address(reference, Variable.DEBUG_HOST, Variable.DEBUG_PORT);
      case "--prometheus" ->
        reference.flag(Variable.USE_PROMETHEUS)
            ? Optional.of(reference.textOrUsual(Variable.PROMETHEUS_ADDR))
            : Optional.empty();
      case "--tls-cert" -> tls(reference, Variable.GRPC_SERVER_TLS_CERT);
      case "--tls-key" -> tls(reference, Variable.GRPC_SERVER_TLS_KEY);
      case "--tls-client-ca" ->
        tls(reference, Variable.GRPC_CLIENT_TLS_CACERT)
            .or(() -> tls(reference, Variable.GRPC_SERVER_TLS_CA_CERT));
      case "--tls-client-name" -> tls(reference, Variable.GRPC_CLIENT_TLS_SAN);
      case "--max-connection-age" -> reference.text(Variable.GRPC_MAX_CONNECTION_AGE);
      case "--max-connection-age-grace" -> reference.text(Variable.GRPC_MAX_CONNECTION_AGE_GRACE);
      case "--log-level" -> reference.text(Variable.LOG_LEVEL).map(ReferenceDefaults::level);
      case "--log-format" -> reference.text(Variable.LOG_FORMAT);
      // The reference's default is 10 s, and Envoy has gone after 20 ms.
      case "--redis-timeout" ->
        Optional.ofNullable(env.get(Variable.REDIS_TIMEOUT.name())).filter(t -> !t.isEmpty());
      case "--redis-key-prefix" -> reference.text(Variable.CACHE_KEY_PREFIX);
      case "--over-limit-cache" -> reference.text(Variable.LOCAL_CACHE_SIZE_IN_BYTES);
      case "--all-or-nothing" ->
        reference.flag(Variable.STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT)
            ? Optional.of("true")
            : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<String> address(
      ReferenceEnvironment reference, Variable host, Variable port) {
    return reference.dropIn() || reference.isSet(host) || reference.isSet(port)
        ? Optional.of(bracketed(reference.textOrUsual(host)) + ":" + reference.textOrUsual(port))
        : Optional.empty();
  }

  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** HOST is also what some shells call the machine, so that alone it means nothing unless we stand in for the reference. */
  private static Optional<String> admin(ReferenceEnvironment reference) {
    return reference.dropIn() || reference.isSet(Variable.PORT)
        ? address(reference, Variable.HOST, Variable.PORT)
        : Optional.empty();
  }

  private static Optional<String> tls(ReferenceEnvironment reference, Variable file) {
    return reference.flag(Variable.GRPC_SERVER_USE_TLS) ? reference.text(file) : Optional.empty();
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
}
