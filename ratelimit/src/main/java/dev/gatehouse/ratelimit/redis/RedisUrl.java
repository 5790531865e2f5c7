package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.redis.RedisSettings.Endpoint;
import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Tls;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.ratelimit.redis.RedisSettings.UnixSocket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A Redis as a URL:
 *
 * <ul>
 *   <li>{@code redis://[user:password@]host[:port][/database]} or {@code host:port}: one server;
 *   <li>{@code redis-socket://[user:password@]/path}: one server, at a unix socket;
 *   <li>{@code redis-sentinel://[user:password@]host[:port],host…[/database]#master}: the login is the master's;
 *   <li>{@code redis-cluster://[user:password@]host[:port],host…}: some of its nodes;
 *   <li>{@code rediss://}, {@code rediss-sentinel://}, {@code rediss-cluster://}: the same, in TLS.
 * </ul>
 *
 * <p>{@code :password@} is the default user's; special characters of a password are percent-encoded. What envoyproxy/ratelimit's {@code
 * REDIS_URL} says depends on two other variables: {@link #ofReference}.
 */
public final class RedisUrl {
  private static final int PORT = 6379;
  private static final int SENTINEL_PORT = 26379;
  private static final String EXPECTED = "(expected: redis://[user:password@]host:port[/database],"
      + " redis-socket:///path, redis-sentinel://host:port,host:port#master,"
      + " redis-cluster://host:port,host:port, rediss…:// for TLS, or host:port;"
      + " special characters of a password percent-encoded)";

  private RedisUrl() {}

  /** @throws IllegalArgumentException if it is none; the message does not repeat it, since it may hold a password */
  public static RedisSettings parse(String url) {
    int end = url.indexOf("://");
    if (end < 0) {
      return RedisSettings.at(new Topology.Single(hostPort(url, PORT)));
    }
    var scheme = url.substring(0, end).toLowerCase(Locale.ROOT);
    var rest = url.substring(end + 3);
    var login = Login.NONE;
    int at = rest.lastIndexOf('@');
    if (at >= 0) {
      var raw = Login.of(rest.substring(0, at));
      login = new Login(decoded(raw.user()), decoded(raw.password()));
      rest = rest.substring(at + 1);
    }
    var tls = scheme.startsWith("rediss") ? Tls.SYSTEM : null;
    var settings = switch (scheme) {
      case "redis-socket" -> RedisSettings.at(new Topology.Single(socket(rest)));
      case "redis", "rediss" -> {
        int slash = rest.indexOf('/');
        var place = hostPort(slash < 0 ? rest : rest.substring(0, slash), PORT);
        yield RedisSettings.at(new Topology.Single(place)).withDatabase(database(rest, slash));
      }
      case "redis-sentinel", "rediss-sentinel" -> sentinel(rest);
      case "redis-cluster", "rediss-cluster" -> {
        var nodes = rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
        yield RedisSettings.at(new Topology.Cluster(hostPorts(nodes, PORT)));
      }
      default ->
        throw new IllegalArgumentException(
            "the Redis URL begins with \"" + scheme + "://\" " + EXPECTED);
    };
    return settings.withLogin(login).withTls(tls);
  }

  /**
   * {@code REDIS_URL} with {@code REDIS_TYPE} and {@code REDIS_SOCKET_TYPE} of envoyproxy/ratelimit; a URL with a scheme says all by
   * itself.
   *
   * @param type {@code SINGLE}: {@code host:port} or a path; {@code SENTINEL}: {@code master,host:port,host:port…}; {@code CLUSTER}: {@code
   *     host:port,host:port…}
   * @param socketType {@code tcp} or {@code unix}
   * @param url the server, or the list
   * @param sentinelLogin {@code REDIS_SENTINEL_AUTH}
   * @throws IllegalArgumentException naming the variable that is not what it should be
   */
  public static Topology ofReference(
      String type, String socketType, String url, Login sentinelLogin) {
    return switch (type.toUpperCase(Locale.ROOT)) {
      case "SINGLE" ->
        switch (socketType.toLowerCase(Locale.ROOT)) {
          case "unix" -> new Topology.Single(socket(url));
          case "tcp" -> new Topology.Single(hostPort(url, PORT));
          default ->
            throw new IllegalArgumentException(
                "REDIS_SOCKET_TYPE: \"" + socketType + "\" (expected: tcp or unix)");
        };
      case "SENTINEL" -> {
        int comma = url.indexOf(',');
        if (comma <= 0 || comma == url.length() - 1) {
          throw new IllegalArgumentException(
              "REDIS_URL: with REDIS_TYPE=SENTINEL it is the master's name and the sentinels"
                  + " (expected: mymaster,host:port,host:port)");
        }
        yield new Topology.Sentinel(
            url.substring(0, comma),
            hostPorts(url.substring(comma + 1), SENTINEL_PORT),
            sentinelLogin);
      }
      case "CLUSTER" -> new Topology.Cluster(hostPorts(url, PORT));
      default ->
        throw new IllegalArgumentException(
            "REDIS_TYPE: \"" + type + "\" (expected: SINGLE, SENTINEL or CLUSTER)");
    };
  }

  private static RedisSettings sentinel(String rest) {
    int hash = rest.lastIndexOf('#');
    if (hash < 0 || hash == rest.length() - 1) {
      throw new IllegalArgumentException("the Redis URL names no master behind # " + EXPECTED);
    }
    var place = rest.substring(0, hash);
    int slash = place.indexOf('/');
    var sentinels = hostPorts(slash < 0 ? place : place.substring(0, slash), SENTINEL_PORT);
    return RedisSettings.at(new Topology.Sentinel(rest.substring(hash + 1), sentinels, Login.NONE))
        .withDatabase(database(place, slash));
  }

  private static int database(String rest, int slash) {
    if (slash < 0 || slash == rest.length() - 1) {
      return 0;
    }
    try {
      int database = Integer.parseInt(rest.substring(slash + 1));
      if (database >= 0) {
        return database;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "the Redis URL's database is no number from 0 up " + EXPECTED);
  }

  private static Endpoint socket(String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException(
          "the Redis socket's path does not begin with / " + EXPECTED);
    }
    return new UnixSocket(Path.of(path));
  }

  private static List<HostPort> hostPorts(String list, int usualPort) {
    var all = new ArrayList<HostPort>();
    for (var one : list.split(",", -1)) {
      all.add(hostPort(one.strip(), usualPort));
    }
    return List.copyOf(all);
  }

  /** {@code host}, {@code host:port}, {@code [::1]:port}. */
  private static HostPort hostPort(String text, int usualPort) {
    int colon = text.lastIndexOf(':');
    boolean six = text.startsWith("[");
    if (colon < 0 || (six && text.endsWith("]"))) {
      return new HostPort(host(text, six), usualPort);
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port > 0 && port < 65536) {
        return new HostPort(host(text.substring(0, colon), six), port);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException("the Redis address has no port from 1 to 65535 " + EXPECTED);
  }

  private static String host(String text, boolean six) {
    var host = six && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
    if (host.isEmpty()
        || !host.chars().allMatch(c -> c > ' ' && "/@#,[]".indexOf(c) < 0)
        || (!six && host.indexOf(':') >= 0)) {
      throw new IllegalArgumentException("the Redis address has no host " + EXPECTED);
    }
    return host;
  }

  private static String decoded(String text) {
    try {
      // URLDecoder reads forms, where + is a space.
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the Redis URL's login is not percent-encoded " + EXPECTED);
    }
  }
}
