package dev.gatehouse.cli.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the reference's environment is read. */
final class ReferenceEnvironmentTest {
  @ParameterizedTest
  @CsvSource({
    "10s, PT10S",
    "1m30s, PT1M30S",
    "24h, PT24H",
    "10ms, PT0.01S",
    "1.5h, PT1H30M",
    "0, PT0S",
    "250us, PT0.00025S",
    "-1s, PT-1S",
    ".5s, PT0.5S",
    "1h0m0s, PT1H"
  })
  void times_are_read_as_go_writes_them(String text, Duration expected) {
    assertThat(GoValues.duration(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10", "s", "1x", "1s ", "PT1S", "1s-2s", "999999999999h"})
  void what_is_no_time_in_go_is_none_here(String text) {
    assertThatThrownBy(() -> GoValues.duration(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void every_default_is_a_value_of_its_kind() {
    for (var variable : Variable.values()) {
      if (!variable.usual().isEmpty()) {
        variable.kind().check(variable.usual());
      }
    }
  }

  @Test
  void all_that_is_wrong_is_told_at_once_with_what_was_expected() {
    var env = environment(
        "PORT",
        "80801",
        "REDIS_TIMEOUT",
        "10",
        "SHADOW_MODE",
        "yes",
        "CONFIG_TYPE",
        "ETCD",
        "EXTRA_TAGS",
        "zone",
        "NEAR_LIMIT_RATIO",
        "80");
    assertThat(env.problems())
        .containsExactly(
            "PORT=80801 (expected: a number from 0 to 65535)",
            "CONFIG_TYPE=ETCD (expected: FILE or GRPC_XDS_SOTW)",
            "NEAR_LIMIT_RATIO=80 (expected: a number from 0 to 1)",
            "SHADOW_MODE=yes (expected: true or false)",
            "REDIS_TIMEOUT=10 (expected: a time such as 10ms, 1m30s or 24h; at least 1ms)",
            "EXTRA_TAGS is not as it must be (expected: name:value,name:value)");
  }

  @Test
  void metadata_that_may_be_a_secret_is_not_shown() {
    assertThat(
            environment("CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS", "hunter2").problems())
        .containsExactly("CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS is not as it must be"
            + " (expected: name:value,name:value)");
  }

  @Test
  void a_time_that_nothing_can_be_done_in_is_refused_and_one_that_means_never_is_not() {
    assertThat(environment(
                "REDIS_TIMEOUT", "0", "STATS_FLUSH_INTERVAL", "0s", "GRPC_MAX_CONNECTION_AGE", "0")
            .problems())
        .containsExactly(
            "REDIS_TIMEOUT=0 (expected: a time such as 10ms, 1m30s or 24h; at least 1ms)",
            "STATS_FLUSH_INTERVAL=0s (expected: a time such as 10ms, 1m30s or 24h; at least 1ms)");
  }

  @Test
  void what_is_not_supported_is_refused_with_the_way_out() {
    assertThat(environment("BACKEND_TYPE", "memcache").problems())
        .singleElement()
        .asString()
        .contains("BACKEND_TYPE=redis and REDIS_URL");
    assertThat(environment("REDIS_PERSECOND", "true").problems())
        .singleElement()
        .asString()
        .contains("unset it");
    assertThat(environment("USE_DOG_STATSD", "1").problems())
        .singleElement()
        .asString()
        .contains("USE_PROMETHEUS=true");
    assertThat(
            environment("REDIS_PERSECOND", "false", "USE_DOG_STATSD", "false").problems())
        .isEmpty();
  }

  @Test
  void what_is_set_and_not_honoured_is_told_and_what_is_not_set_is_not() {
    assertThat(environment("REDIS_POOL_SIZE", "20", "TRACING_ENABLED", "", "PORT", "8080")
            .notHonoured())
        .singleElement()
        .asString()
        .startsWith("REDIS_POOL_SIZE is set and not honoured: ")
        .contains("--event-loops");
  }

  @Test
  void certificates_without_the_switch_that_uses_them_are_told() {
    assertThat(environment("GRPC_CLIENT_TLS_CACERT", "/certs/ca.crt", "REDIS_TLS_CACERT", "/ca")
            .notHonoured())
        .containsExactly(
            "GRPC_CLIENT_TLS_CACERT is set and not honoured: GRPC_SERVER_USE_TLS is not true",
            "REDIS_TLS_CACERT is set and not honoured: REDIS_TLS is not true");
    assertThat(environment("GRPC_CLIENT_TLS_CACERT", "/certs/ca.crt", "GRPC_SERVER_USE_TLS", "true")
            .notHonoured())
        .isEmpty();
  }

  @Test
  void every_variable_that_is_not_honoured_is_reported_when_it_is_set() {
    for (var variable : Variable.values()) {
      if (variable.honour() instanceof Honour.No) {
        assertThat(environment(variable.name(), "1").notHonoured())
            .singleElement()
            .asString()
            .startsWith(variable.name());
      }
    }
  }

  @Test
  void defaults_hold_in_a_drop_in_only() {
    var set = Map.of("DEBUG_HOST", "127.0.0.1");
    assertThat(new ReferenceEnvironment(set, true).text(Variable.DEBUG_PORT)).hasValue("6070");
    assertThat(new ReferenceEnvironment(set, false).text(Variable.DEBUG_PORT)).isEmpty();
    assertThat(new ReferenceEnvironment(set, false).text(Variable.DEBUG_HOST))
        .hasValue("127.0.0.1");
    assertThat(new ReferenceEnvironment(Map.of(), true).flag(Variable.USE_STATSD))
        .isTrue();
    assertThat(new ReferenceEnvironment(Map.of(), false).flag(Variable.USE_STATSD))
        .isFalse();
  }

  @Test
  void the_documentation_lists_exactly_what_is_read() throws IOException {
    var documented = Files.readString(Path.of("../docs/ratelimit-compatibility.md"));
    assertThat(documented).contains(Listing.markdown());
  }

  @Test
  void help_names_every_variable_in_its_group() {
    var help = String.join("\n", Listing.help());
    assertThat(Arrays.stream(Variable.values()).map(Enum::name)).allMatch(help::contains);
  }

  private static ReferenceEnvironment environment(String... pairs) {
    var env = new java.util.HashMap<String, String>();
    for (int i = 0; i < pairs.length; i += 2) {
      env.put(pairs[i], pairs[i + 1]);
    }
    return new ReferenceEnvironment(env, false);
  }
}
