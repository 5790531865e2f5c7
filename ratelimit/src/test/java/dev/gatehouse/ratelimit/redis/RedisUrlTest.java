package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Tls;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.ratelimit.redis.RedisSettings.UnixSocket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RedisUrlTest {
  private static final Login SENTINELS = new Login("", "theirs");

  @Test
  void one_server_has_a_host_a_port_and_perhaps_a_database_and_a_login() {
    assertThat(RedisUrl.parse("redis.example")).isEqualTo(single("redis.example", 6379));
    assertThat(RedisUrl.parse("redis.example:1")).isEqualTo(single("redis.example", 1));
    assertThat(RedisUrl.parse("[::1]:1")).isEqualTo(single("::1", 1));
    assertThat(RedisUrl.parse("redis://[::1]")).isEqualTo(single("::1", 6379));
    assertThat(RedisUrl.parse("redis://h:1/2")).isEqualTo(single("h", 1).withDatabase(2));
    assertThat(RedisUrl.parse("rediss://h")).isEqualTo(single("h", 6379).withTls(Tls.SYSTEM));
    assertThat(RedisUrl.parse("redis://:p%40s%3A+%25@h"))
        .isEqualTo(single("h", 6379).withLogin(new Login("", "p@s:+%")));
    assertThat(RedisUrl.parse("redis://user:p:w@h"))
        .isEqualTo(single("h", 6379).withLogin(new Login("user", "p:w")));
  }

  @Test
  void a_socket_is_a_path() {
    assertThat(RedisUrl.parse("redis-socket:///run/redis.sock").topology())
        .isEqualTo(new Topology.Single(new UnixSocket(Path.of("/run/redis.sock"))));
    assertThat(RedisUrl.parse("redis-socket://:pw@/run/redis.sock").login())
        .isEqualTo(new Login("", "pw"));
  }

  @Test
  void sentinels_are_a_list_and_the_masters_name() {
    var settings = RedisUrl.parse("rediss-sentinel://u:p@a:1,b/3#main");
    assertThat(settings)
        .isEqualTo(RedisSettings.at(new Topology.Sentinel(
                "main", List.of(new HostPort("a", 1), new HostPort("b", 26379)), Login.NONE))
            .withLogin(new Login("u", "p"))
            .withDatabase(3)
            .withTls(Tls.SYSTEM));
  }

  @Test
  void a_cluster_is_a_list_of_nodes() {
    assertThat(RedisUrl.parse("redis-cluster://a:1,b:2").topology())
        .isEqualTo(new Topology.Cluster(List.of(new HostPort("a", 1), new HostPort("b", 2))));
  }

  @Test
  void the_variables_of_the_reference_say_the_same() {
    assertThat(RedisUrl.ofReference("SINGLE", "tcp", "h:1", SENTINELS))
        .isEqualTo(new Topology.Single(new HostPort("h", 1)));
    assertThat(RedisUrl.ofReference("single", "unix", "/run/r.sock", SENTINELS))
        .isEqualTo(new Topology.Single(new UnixSocket(Path.of("/run/r.sock"))));
    assertThat(RedisUrl.ofReference("sentinel", "tcp", "mymaster,a:1, b:2", SENTINELS))
        .isEqualTo(new Topology.Sentinel(
            "mymaster", List.of(new HostPort("a", 1), new HostPort("b", 2)), SENTINELS));
    assertThat(RedisUrl.ofReference("Cluster", "tcp", "a:1,b:2", SENTINELS))
        .isEqualTo(new Topology.Cluster(List.of(new HostPort("a", 1), new HostPort("b", 2))));
    assertThat(Login.of("pw")).isEqualTo(new Login("", "pw"));
    assertThat(Login.of("user:p:w")).isEqualTo(new Login("user", "p:w"));
  }

  @Test
  void a_variable_that_is_wrong_is_named_with_what_was_expected() {
    assertThatThrownBy(() -> RedisUrl.ofReference("replica", "tcp", "h:1", SENTINELS))
        .hasMessage("REDIS_TYPE: \"replica\" (expected: SINGLE, SENTINEL or CLUSTER)");
    assertThatThrownBy(() -> RedisUrl.ofReference("SINGLE", "udp", "h:1", SENTINELS))
        .hasMessage("REDIS_SOCKET_TYPE: \"udp\" (expected: tcp or unix)");
    assertThatThrownBy(() -> RedisUrl.ofReference("SENTINEL", "tcp", "mymaster", SENTINELS))
        .hasMessageStartingWith("REDIS_URL: ")
        .hasMessageContaining("mymaster,host:port,host:port");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://:s3cret@h",
        "redis://:s3cret@h:port",
        "redis://:s3cret@h:0",
        "redis://:s3cret@h:70000",
        "redis://:s3cret@",
        "redis://:s3cret%zz@h",
        "redis://:s3cret@a b",
        "redis://:s3cret@h/zero",
        "redis://:s3cret@h/-1",
        "redis-socket://:s3cret@run/redis.sock",
        "redis-sentinel://:s3cret@a:1,b:2",
        "redis-sentinel://:s3cret@a:1,,b:2#m",
        "redis-cluster://:s3cret@",
        "redis://s3cret:s3cret:s3cret@::1:6379"
      })
  void what_is_no_url_is_refused_and_its_password_kept(String url) {
    assertThatThrownBy(() -> RedisUrl.parse(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected: redis://")
        .hasMessageNotContaining("s3cret")
        .hasNoCause();
  }

  private static RedisSettings single(String host, int port) {
    return RedisSettings.at(new Topology.Single(new HostPort(host, port)));
  }
}
