package dev.gatehouse.cli.reference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The variables of envoyproxy/ratelimit as they are set for this process. An empty one counts as not set.
 *
 * @param dropIn whether what is not set has the reference's default; else it is as if the variable were not there
 */
public record ReferenceEnvironment(Map<String, String> env, boolean dropIn) {
  private static final List<Variable> GRPC_TLS = List.of(
      Variable.GRPC_SERVER_TLS_CERT,
      Variable.GRPC_SERVER_TLS_KEY,
      Variable.GRPC_CLIENT_TLS_CACERT,
      Variable.GRPC_SERVER_TLS_CA_CERT,
      Variable.GRPC_CLIENT_TLS_SAN);
  private static final List<Variable> XDS_TLS = List.of(
      Variable.CONFIG_GRPC_XDS_CLIENT_TLS_CERT,
      Variable.CONFIG_GRPC_XDS_CLIENT_TLS_KEY,
      Variable.CONFIG_GRPC_XDS_SERVER_TLS_CACERT,
      Variable.CONFIG_GRPC_XDS_SERVER_TLS_SAN);
  private static final List<Variable> REDIS_TLS = List.of(
      Variable.REDIS_TLS_CLIENT_CERT,
      Variable.REDIS_TLS_CLIENT_KEY,
      Variable.REDIS_TLS_CACERT,
      Variable.REDIS_TLS_SKIP_HOSTNAME_VERIFICATION);
  private static final List<Variable> HEADERS = List.of(
      Variable.LIMIT_LIMIT_HEADER, Variable.LIMIT_REMAINING_HEADER, Variable.LIMIT_RESET_HEADER);

  /** By this {@code bin/ratelimit} says that it stands in for the reference's program. */
  public static final String DROP_IN = "GATEHOUSE_DROP_IN";

  public static ReferenceEnvironment of(Map<String, String> env) {
    return new ReferenceEnvironment(env, Boolean.parseBoolean(env.get(DROP_IN)));
  }

  public boolean isSet(Variable variable) {
    return !env.getOrDefault(variable.name(), "").isEmpty();
  }

  /** What is set, or the default where that holds. */
  public Optional<String> text(Variable variable) {
    return isSet(variable)
        ? Optional.of(env.getOrDefault(variable.name(), ""))
        : Optional.of(variable.usual()).filter(usual -> dropIn && !usual.isEmpty());
  }

  /** What is set, or the reference's default even where this is no drop-in. */
  public String textOrUsual(Variable variable) {
    return isSet(variable) ? env.getOrDefault(variable.name(), "") : variable.usual();
  }

  /** False too for what is none, which {@link #problems} tells of. */
  public boolean flag(Variable variable) {
    return text(variable)
        .filter(value -> List.of("1", "t", "T", "TRUE", "true", "True").contains(value))
        .isPresent();
  }

  public Duration duration(Variable variable) {
    return GoValues.duration(textOrUsual(variable));
  }

  public long number(Variable variable) {
    return Long.parseLong(textOrUsual(variable));
  }

  public double fraction(Variable variable) {
    return Double.parseDouble(textOrUsual(variable));
  }

  public Map<String, String> pairs(Variable variable) {
    return GoValues.pairs(textOrUsual(variable));
  }

  /** All that is wrong with what is set, a sentence each. To be asked before anything is read. */
  public List<String> problems() {
    var problems = new ArrayList<String>();
    for (var variable : Variable.values()) {
      if (isSet(variable) && variable.honour() instanceof Honour.Here) {
        check(variable, problems);
      }
    }
    if (problems.isEmpty()) {
      refuse(problems);
    }
    return problems;
  }

  /** What is wrong with these alone, for a command that reads no others. */
  List<String> problemsOf(Variable... variables) {
    var problems = new ArrayList<String>();
    for (var variable : variables) {
      if (isSet(variable)) {
        check(variable, problems);
      }
    }
    return problems;
  }

  private void check(Variable variable, List<String> problems) {
    var value = env.getOrDefault(variable.name(), "");
    try {
      variable.kind().check(value);
    } catch (IllegalArgumentException e) {
      // Metadata may be a token, and one that is written in a wrong way is one nevertheless.
      boolean mayBeSecret =
          variable.kind() instanceof Kind.Pairs || variable.name().endsWith("_AUTH");
      problems.add((mayBeSecret ? variable + " is not as it must be" : variable + "=" + value)
          + " (expected: "
          + variable.kind().expected()
          + ")");
    }
  }

  private void refuse(List<String> problems) {
    if (textOrUsual(Variable.BACKEND_TYPE).equalsIgnoreCase("memcache")) {
      problems.add(
          "BACKEND_TYPE=memcache: Memcached is not supported; set BACKEND_TYPE=redis and REDIS_URL,"
              + " or BACKEND_TYPE=memory for counters of this process alone");
    }
    if (flag(Variable.REDIS_PERSECOND)) {
      problems.add(
          "REDIS_PERSECOND=true: a second Redis is not supported; unset it, and all limits are in the"
              + " Redis of REDIS_URL");
    }
    if (flag(Variable.USE_DOG_STATSD)) {
      problems.add(
          "USE_DOG_STATSD=true: DogStatsD is not supported; set USE_STATSD=true, which DogStatsD's agent"
              + " understands too, or USE_PROMETHEUS=true");
    }
  }

  /** What is set and not honoured, a sentence each. */
  public List<String> notHonoured() {
    var told = new ArrayList<String>();
    for (var variable : Variable.values()) {
      if (isSet(variable) && variable.honour() instanceof Honour.No(var instead)) {
        told.add(variable + " is set and not honoured: " + instead);
      }
    }
    without(Variable.GRPC_SERVER_USE_TLS, GRPC_TLS, told);
    without(Variable.CONFIG_GRPC_XDS_SERVER_USE_TLS, XDS_TLS, told);
    without(Variable.REDIS_TLS, REDIS_TLS, told);
    without(Variable.LIMIT_RESPONSE_HEADERS_ENABLED, HEADERS, told);
    return told;
  }

  /** What has no effect without its switch, as in the reference, which does not say so. */
  private void without(Variable flag, List<Variable> variables, List<String> told) {
    if (flag(flag)) {
      return;
    }
    for (var variable : variables) {
      if (isSet(variable)) {
        told.add(variable + " is set and not honoured: " + flag + " is not true");
      }
    }
  }
}
