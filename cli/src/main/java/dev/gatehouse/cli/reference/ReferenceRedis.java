package dev.gatehouse.cli.reference;

import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Tls;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.ratelimit.redis.RedisUrl;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The Redis that the reference's variables name. */
public final class ReferenceRedis {
  private ReferenceRedis() {}

  /**
   * Without {@code REDIS_SOCKET_TYPE} what begins with a slash is a socket; a {@code REDIS_URL} with a scheme says what it is.
   *
   * @return null if counters are to be in memory
   * @throws IllegalArgumentException naming what is wrong, without a password
   */
  public static @Nullable RedisSettings settings(ReferenceEnvironment env) {
    var url = env.text(Variable.REDIS_URL).map(String::strip).orElse("");
    if (url.isEmpty()) {
      return null;
    }
    must(env.problemsOf(Variable.BACKEND_TYPE));
    if (env.textOrUsual(Variable.BACKEND_TYPE).equalsIgnoreCase("memory")) {
      return null;
    }
    if (url.contains("://")) {
      return of(url, env);
    }
    must(env.problemsOf(
        Variable.REDIS_TYPE,
        Variable.REDIS_SOCKET_TYPE,
        Variable.REDIS_TLS,
        Variable.REDIS_TLS_SKIP_HOSTNAME_VERIFICATION));
    var socketType = env.isSet(Variable.REDIS_SOCKET_TYPE)
        ? env.textOrUsual(Variable.REDIS_SOCKET_TYPE)
        : url.startsWith("/") ? "unix" : "tcp";
    var topology = RedisUrl.ofReference(
        env.textOrUsual(Variable.REDIS_TYPE),
        socketType,
        url,
        login(env, Variable.REDIS_SENTINEL_AUTH));
    return RedisSettings.at(topology)
        .withLogin(login(env, Variable.REDIS_AUTH))
        .withTls(env.flag(Variable.REDIS_TLS) ? tls(env) : null);
  }

  /**
   * A URL with a scheme, and what the variables say beside it: a login that it does not have itself, that of the sentinels, TLS and its
   * files.
   *
   * @throws IllegalArgumentException naming what is wrong, without a password
   */
  public static RedisSettings of(String url, ReferenceEnvironment env) {
    must(env.problemsOf(Variable.REDIS_TLS, Variable.REDIS_TLS_SKIP_HOSTNAME_VERIFICATION));
    var settings = RedisUrl.parse(url);
    if (settings.login().equals(Login.NONE)) {
      settings = settings.withLogin(login(env, Variable.REDIS_AUTH));
    }
    if (settings.topology() instanceof Topology.Sentinel(var master, var sentinels, var _)) {
      settings = settings.withTopology(
          new Topology.Sentinel(master, sentinels, login(env, Variable.REDIS_SENTINEL_AUTH)));
    }
    boolean tls = settings.tls() != null || env.flag(Variable.REDIS_TLS);
    return settings.withTls(tls ? tls(env) : null);
  }

  /** A flag that cannot be read is not taken for false: TLS that is asked for is never left out. */
  private static void must(List<String> problems) {
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
  }

  private static Login login(ReferenceEnvironment env, Variable variable) {
    return env.text(variable).map(Login::of).orElse(Login.NONE);
  }

  private static Tls tls(ReferenceEnvironment env) {
    var certificate = file(env, Variable.REDIS_TLS_CLIENT_CERT);
    var key = file(env, Variable.REDIS_TLS_CLIENT_KEY);
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException(
          "REDIS_TLS_CLIENT_CERT and REDIS_TLS_CLIENT_KEY belong together: only one is set");
    }
    return new Tls(
        file(env, Variable.REDIS_TLS_CACERT),
        certificate,
        key,
        !env.flag(Variable.REDIS_TLS_SKIP_HOSTNAME_VERIFICATION));
  }

  private static @Nullable Path file(ReferenceEnvironment env, Variable variable) {
    Optional<String> path = env.text(variable);
    return path.map(Path::of).orElse(null);
  }
}
