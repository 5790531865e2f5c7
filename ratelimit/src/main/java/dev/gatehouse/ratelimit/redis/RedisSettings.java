package dev.gatehouse.ratelimit.redis;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which Redis, and how it is reached. {@link RedisUrl} makes it of a URL, and of the variables of envoyproxy/ratelimit.
 *
 * @param login at the servers that hold the counters
 * @param tls null speaks in the clear; else all servers are spoken to so, sentinels too
 * @param database 0 in a cluster
 * @param timeout after which a hit is answered {@code TIMEOUT}; below the 20 ms that Envoy waits
 * @param keyPrefix before every key; without braces
 */
public record RedisSettings(
    Topology topology,
    Login login,
    @Nullable Tls tls,
    int database,
    Duration timeout,
    String keyPrefix) {
  /** @throws IllegalArgumentException if the prefix has braces */
  public RedisSettings {
    Keys.check(keyPrefix);
  }

  /** Below the 20 ms that Envoy waits for an answer. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(10);

  /** With the defaults beside it. */
  public static RedisSettings at(Topology topology) {
    return new RedisSettings(topology, Login.NONE, null, 0, DEFAULT_TIMEOUT, "");
  }

  public RedisSettings with(Duration itsTimeout, String itsKeyPrefix) {
    return new RedisSettings(topology, login, tls, database, itsTimeout, itsKeyPrefix);
  }

  public RedisSettings withLogin(Login its) {
    return new RedisSettings(topology, its, tls, database, timeout, keyPrefix);
  }

  public RedisSettings withTls(@Nullable Tls its) {
    return new RedisSettings(topology, login, its, database, timeout, keyPrefix);
  }

  public RedisSettings withTopology(Topology its) {
    return new RedisSettings(its, login, tls, database, timeout, keyPrefix);
  }

  public RedisSettings withDatabase(int its) {
    return new RedisSettings(topology, login, tls, its, timeout, keyPrefix);
  }

  /** Which servers there are, and which of them holds the counters. */
  public sealed interface Topology {
    record Single(Endpoint at) implements Topology {}

    /**
     * A master that sentinels watch and name.
     *
     * @param master the name that the sentinels know it by
     * @param sentinels at least one
     * @param login at the sentinels, which have a password of their own or none
     */
    record Sentinel(String master, List<HostPort> sentinels, Login login) implements Topology {}

    /** @param seeds at least one of its nodes; the others are learnt from it */
    record Cluster(List<HostPort> seeds) implements Topology {}
  }

  /** Where a server listens. */
  public sealed interface Endpoint {}

  public record HostPort(String host, int port) implements Endpoint {
    @Override
    public String toString() {
      return (host.indexOf(':') < 0 ? host : '[' + host + ']') + ':' + port;
    }
  }

  public record UnixSocket(Path path) implements Endpoint {
    @Override
    public String toString() {
      return path.toString();
    }
  }

  /** @param user empty for Redis's default user */
  public record Login(String user, String password) {
    public static final Login NONE = new Login("", "");

    /** {@code password} or {@code user:password}, as {@code REDIS_AUTH} has it. */
    public static Login of(String auth) {
      int colon = auth.indexOf(':');
      return colon < 0
          ? new Login("", auth)
          : new Login(auth.substring(0, colon), auth.substring(colon + 1));
    }

    boolean isNone() {
      return password.isEmpty();
    }

    /** Without the password, which must not get into a log. */
    @Override
    public String toString() {
      return isNone() ? "nobody" : user.isEmpty() ? "default" : user;
    }
  }

  /**
   * PEM files; read again before each connection, so that a renewed certificate is used from the next one on.
   *
   * @param ca the only authorities; null means the system's
   * @param certificate null shows none; else {@code key} is there too
   * @param verifyHostname whether the certificate must be for the name or address that is connected to; who signed it is always
   *     looked at
   */
  public record Tls(
      @Nullable Path ca,
      @Nullable Path certificate,
      @Nullable Path key,
      boolean verifyHostname) {
    /** The system's authorities and no client certificate. */
    public static final Tls SYSTEM = new Tls(null, null, null, true);
  }
}
