package dev.gatehouse.cli.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.ratelimit.redis.RedisSettings.UnixSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which Redis the reference's variables name. */
final class ReferenceRedisTest {
  @Test
  void one_server_is_a_host_a_socket_or_a_url() {
    assertThat(topology("REDIS_URL", "redis.example:6380"))
        .isEqualTo(new Topology.Single(new HostPort("redis.example", 6380)));
    assertThat(topology("REDIS_URL", "/run/redis.sock"))
        .isEqualTo(new Topology.Single(new UnixSocket(Path.of("/run/redis.sock"))));
    assertThat(topology("REDIS_SOCKET_TYPE", "tcp", "REDIS_URL", "redis.redis.svc:6379"))
        .isEqualTo(new Topology.Single(new HostPort("redis.redis.svc", 6379)));
    assertThat(topology("REDIS_URL", "redis-cluster://a:1,b:2"))
        .isEqualTo(new Topology.Cluster(List.of(new HostPort("a", 1), new HostPort("b", 2))));
  }

  @Test
  void sentinels_and_a_cluster_are_lists() {
    assertThat(topology(
            "REDIS_TYPE",
            "SENTINEL",
            "REDIS_URL",
            "mymaster,a:26379,b:26379",
            "REDIS_SENTINEL_AUTH",
            "s3"))
        .isEqualTo(new Topology.Sentinel(
            "mymaster",
            List.of(new HostPort("a", 26379), new HostPort("b", 26379)),
            Login.of("s3")));
    assertThat(topology("REDIS_TYPE", "cluster", "REDIS_URL", "a:1,b:2"))
        .isEqualTo(new Topology.Cluster(List.of(new HostPort("a", 1), new HostPort("b", 2))));
  }

  @Test
  void login_and_tls_stand_beside_it() {
    var redis = settings(
        "REDIS_URL", "a:1",
        "REDIS_AUTH", "app:hunter2",
        "REDIS_TLS", "true",
        "REDIS_TLS_CLIENT_CERT", "/redis-certs/tls.crt",
        "REDIS_TLS_CLIENT_KEY", "/redis-certs/tls.key",
        "REDIS_TLS_SKIP_HOSTNAME_VERIFICATION", "true");
    assertThat(redis.login()).isEqualTo(new Login("app", "hunter2"));
    assertThat(redis.tls())
        .isEqualTo(new RedisSettings.Tls(
            null, Path.of("/redis-certs/tls.crt"), Path.of("/redis-certs/tls.key"), false));
  }

  @Test
  void they_stand_beside_a_url_with_a_scheme_too() {
    var redis = settings(
        "REDIS_URL", "rediss-sentinel://a:1#main",
        "REDIS_AUTH", "app:hunter2",
        "REDIS_SENTINEL_AUTH", "s3",
        "REDIS_TLS_CACERT", "/redis-certs/ca.crt");
    assertThat(redis.topology())
        .isEqualTo(new Topology.Sentinel("main", List.of(new HostPort("a", 1)), Login.of("s3")));
    assertThat(redis.login()).isEqualTo(new Login("app", "hunter2"));
    assertThat(redis.tls())
        .isEqualTo(new RedisSettings.Tls(Path.of("/redis-certs/ca.crt"), null, null, true));

    assertThat(settings("REDIS_URL", "redis://:own@a:1", "REDIS_AUTH", "other").login())
        .isEqualTo(new Login("", "own"));
    assertThat(settings("REDIS_URL", "redis://a:1", "REDIS_TLS", "true").tls())
        .as("TLS that is asked for is never left out")
        .isEqualTo(RedisSettings.Tls.SYSTEM);
    assertThat(settings("REDIS_URL", "redis://a:1").tls()).isNull();
  }

  @Test
  void a_flag_that_cannot_be_read_is_not_taken_for_false() {
    for (var url : List.of("a:1", "redis://a:1")) {
      assertThatThrownBy(() -> settings("REDIS_URL", url, "REDIS_TLS", "yes"))
          .hasMessage("REDIS_TLS=yes (expected: true or false)");
    }
    assertThatThrownBy(() -> settings("REDIS_URL", "a:1", "REDIS_TYPE", "ring"))
        .hasMessage("REDIS_TYPE=ring (expected: SINGLE, SENTINEL or CLUSTER)");
  }

  @Test
  void half_of_a_client_certificate_is_refused() {
    assertThatThrownBy(
            () -> settings("REDIS_URL", "a:1", "REDIS_TLS", "true", "REDIS_TLS_CLIENT_CERT", "c"))
        .hasMessageContaining("REDIS_TLS_CLIENT_KEY");
  }

  @Test
  void counters_are_in_memory_without_a_redis_or_when_that_is_asked_for() {
    assertThat(ReferenceRedis.settings(environment())).isNull();
    assertThat(ReferenceRedis.settings(environment("REDIS_URL", "a:1", "BACKEND_TYPE", "memory")))
        .isNull();
  }

  private static Topology topology(String... pairs) {
    return settings(pairs).topology();
  }

  private static RedisSettings settings(String... pairs) {
    var settings = ReferenceRedis.settings(environment(pairs));
    assertThat(settings).isNotNull();
    return settings;
  }

  private static ReferenceEnvironment environment(String... pairs) {
    var env = new HashMap<String, String>();
    for (int i = 0; i < pairs.length; i += 2) {
      env.put(pairs[i], pairs[i + 1]);
    }
    return new ReferenceEnvironment(env, false);
  }
}
