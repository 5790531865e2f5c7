package dev.gatehouse.cli.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.AnswerSettings;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.config.xds.XdsSettings;
import dev.gatehouse.ratelimit.stats.StatsdSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the reference's variables make of the service. */
final class ReferenceSettingsTest {
  private final List<String> told = new ArrayList<>();

  @Test
  void without_any_variable_nothing_changes() {
    var ours = RateLimitSettings.defaults();
    assertThat(settings(false)).usingRecursiveComparison().isEqualTo(ours);
  }

  @Test
  void the_drop_in_sends_statistics_to_statsd_over_tcp_on_this_host() {
    assertThat(settings(true).stats().statsd())
        .isEqualTo(new StatsdSettings(
            StatsdSettings.Protocol.TCP, "localhost", 8125, Duration.ofSeconds(10), Map.of()));
    assertThat(settings(true, "USE_STATSD", "false").stats().statsd()).isNull();
  }

  @Test
  void statistics_follow_their_variables() {
    var stats = settings(
            false,
            "USE_STATSD",
            "true",
            "STATSD_HOST",
            "statsd",
            "STATSD_PORT",
            "9125",
            "STATSD_PROTOCOL",
            "udp",
            "STATS_FLUSH_INTERVAL",
            "1m30s",
            "EXTRA_TAGS",
            "zone:a,app:shop",
            "NEAR_LIMIT_RATIO",
            "0.9")
        .stats();
    assertThat(stats.statsd())
        .isEqualTo(new StatsdSettings(
            StatsdSettings.Protocol.UDP,
            "statsd",
            9125,
            Duration.ofSeconds(90),
            Map.of("zone", "a", "app", "shop")));
    assertThat(stats.tags()).containsEntry("zone", "a");
    assertThat(settings(false, "DISABLE_STATS", "true").stats().enabled()).isFalse();
    assertThat(settings(false, "NEAR_LIMIT_RATIO", "0.9").nearLimitRatio()).isEqualTo(0.9);
  }

  @Test
  void a_mapper_file_that_cannot_be_read_is_told() {
    settings(false, "PROMETHEUS_MAPPER_YAML", "/nowhere/conf.yaml");
    assertThat(told)
        .containsExactly(
            "PROMETHEUS_MAPPER_YAML: /nowhere/conf.yaml: no such file; the standard mapping is used");
  }

  @Test
  void answers_limits_and_health_follow_their_variables() {
    var settings = settings(
        false,
        "LIMIT_RESPONSE_HEADERS_ENABLED",
        "true",
        "LIMIT_RESET_HEADER",
        "X-Reset",
        "RESPONSE_DYNAMIC_METADATA",
        "true",
        "SHADOW_MODE",
        "true",
        "QUOTA_MODE",
        "true",
        "USE_CALENDAR_MONTH_RATE_LIMIT",
        "true",
        "REDIS_HEALTH_CHECK_ACTIVE_CONNECTION",
        "true",
        "HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED",
        "true");
    assertThat(settings.answers())
        .isEqualTo(new AnswerSettings(
            new AnswerSettings.Headers("RateLimit-Limit", "RateLimit-Remaining", "X-Reset"),
            true,
            true,
            true));
    assertThat(settings.limits().quota()).isTrue();
    assertThat(settings.limits().calendarMonths()).isTrue();
    assertThat(settings.health().withoutStore()).isTrue();
    assertThat(settings.health().withoutDomains()).isTrue();
  }

  @Test
  void the_configuration_is_a_folder_a_control_plane_or_none() {
    assertThat(ReferenceConfiguration.of(environment(false))).isNull();
    assertThat(ReferenceConfiguration.of(environment(true)))
        .isInstanceOfSatisfying(
            ReferenceConfiguration.Folder.class,
            folder -> assertThat(folder.settings().folder())
                .isEqualTo(Path.of("/srv/runtime_data/current/config")));
    assertThat(ReferenceConfiguration.of(environment(
            false,
            "CONFIG_TYPE",
            "GRPC_XDS_SOTW",
            "CONFIG_GRPC_XDS_SERVER_URL",
            "envoy-gateway:18001",
            "CONFIG_GRPC_XDS_NODE_ID",
            "envoy-ratelimit",
            "CONFIG_GRPC_XDS_NODE_METADATA",
            "zone=a,broken,app=shop",
            "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS",
            "x-token:s3",
            "CONFIG_GRPC_XDS_SERVER_USE_TLS",
            "true",
            "CONFIG_GRPC_XDS_SERVER_TLS_CACERT",
            "/certs/ca.crt",
            "CONFIG_GRPC_XDS_CLIENT_TLS_CERT",
            "/certs/tls.crt",
            "CONFIG_GRPC_XDS_CLIENT_TLS_KEY",
            "/certs/tls.key",
            "XDS_CLIENT_BACKOFF_JITTER",
            "false")))
        .isEqualTo(new ReferenceConfiguration.Xds(new XdsSettings(
            "envoy-gateway:18001",
            "envoy-ratelimit",
            Map.of("zone", "a", "app", "shop"),
            Map.of("x-token", "s3"),
            Duration.ofSeconds(3),
            new XdsSettings.Retry(Duration.ofSeconds(10), Duration.ofSeconds(60), 0.5, false),
            XdsSettings.DEFAULT_MAX_MESSAGE_BYTES,
            new XdsSettings.Tls(
                Path.of("/certs/ca.crt"),
                Path.of("/certs/tls.crt"),
                Path.of("/certs/tls.key"),
                null))));
  }

  @Test
  void half_of_a_client_certificate_is_refused_by_the_variables_names() {
    assertThatThrownBy(() -> ReferenceConfiguration.of(environment(
            false,
            "CONFIG_TYPE",
            "GRPC_XDS_SOTW",
            "CONFIG_GRPC_XDS_SERVER_USE_TLS",
            "true",
            "CONFIG_GRPC_XDS_CLIENT_TLS_CERT",
            "/certs/tls.crt")))
        .hasMessageContaining("CONFIG_GRPC_XDS_CLIENT_TLS_KEY");
  }

  private RateLimitSettings settings(boolean dropIn, String... pairs) {
    return ReferenceSettings.with(
        environment(dropIn, pairs), RateLimitSettings.defaults(), told::add);
  }

  private static ReferenceEnvironment environment(boolean dropIn, String... pairs) {
    var env = new HashMap<String, String>();
    for (int i = 0; i < pairs.length; i += 2) {
      env.put(pairs[i], pairs[i + 1]);
    }
    return new ReferenceEnvironment(env, dropIn);
  }
}
