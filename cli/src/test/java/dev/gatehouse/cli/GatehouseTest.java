package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.OnUnavailable;
import dev.gatehouse.ratelimit.redis.RedisSettings;
import dev.gatehouse.ratelimit.redis.RedisUrl;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

final class GatehouseTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void help_groups_the_commands_and_ends_with_zero() {
    assertThat(run(Map.of(), "--help")).isZero();
    assertThat(out.toString())
        .contains("Try it:\n  demo")
        .contains("Serve:\n  run")
        .contains("Work on policies:\n  lint")
        .contains("Examples:");
  }

  @ParameterizedTest
  @MethodSource("commands")
  void every_command_explains_its_options_with_default_and_variable(CommandLine command) {
    var help = command.getUsageMessage();
    for (var option : command.getCommandSpec().options()) {
      assertThat(option.description()).as(option.longestName()).isNotEmpty();
      if (Environment.settable(option)) {
        assertThat(help).contains("[" + Environment.name(option) + "]");
      }
      var usual = option.defaultValue();
      if (usual != null && !usual.isEmpty() && !option.type().equals(boolean.class)) {
        assertThat(help.replaceAll("\\s+", " "))
            .as(option.longestName())
            .contains("Default: " + usual + ".");
      }
    }
    assertThat(help).doesNotContain("${").doesNotContain("$" + "peer");
  }

  static Stream<CommandLine> commands() {
    return GatehouseTest.flat(
        Gatehouse.commandLine(terminal(Map.of(), new StringWriter(), new StringWriter())));
  }

  private static Stream<CommandLine> flat(CommandLine line) {
    return Stream.concat(
        Stream.of(line),
        line.getSubcommands().values().stream()
            .filter(sub -> !sub.getCommandName().equals("help"))
            .flatMap(GatehouseTest::flat));
  }

  @Test
  void an_unknown_option_ends_with_two_and_a_suggestion() {
    assertThat(run(Map.of(), "run", "--policy", "x")).isEqualTo(2);
    assertThat(err.toString()).contains("Unknown option").contains("--policies");
  }

  @Test
  void what_serves_policies_wants_to_know_where_they_are() {
    for (var command : List.of("run", "ratelimit", "ext-authz", "ext-proc")) {
      assertThat(run(Map.of(), command)).as(command).isEqualTo(2);
    }
    assertThat(err.toString()).contains("Missing required option: '--policies=DIR'");
  }

  @Test
  void a_wrong_address_says_what_was_expected() {
    assertThat(run(Map.of(), "run", "--policies", "x", "--admin", "nine")).isEqualTo(2);
    assertThat(err.toString())
        .contains("--admin")
        .contains("\"nine\" (expected: HOST:PORT, such as 127.0.0.1:9001");
  }

  @Test
  void options_come_from_flag_then_variable_then_default() {
    var env = Map.of("GATEHOUSE_EXT_AUTHZ_LISTEN", "127.0.0.1:1", "GATEHOUSE_ADMIN", "127.0.0.1:2");

    var run =
        parsed(RunCommand.class, env, "run", "--policies", "a,b", "--ext-authz-listen", "[::1]:7");

    assertThat(Address.text(run.listening.extAuthz)).isEqualTo("[0:0:0:0:0:0:0:1]:7");
    assertThat(Address.text(run.listening.admin)).isEqualTo("127.0.0.1:2");
    assertThat(Address.text(run.listening.extProc)).isEqualTo("127.0.0.1:9002");
    assertThat(run.policies.folders).map(Object::toString).containsExactly("a", "b");
  }

  @Test
  void a_folder_may_come_from_the_environment() {
    var run = parsed(
        RunCommand.class, Map.of("GATEHOUSE_POLICIES", "/p", "GATEHOUSE_STRICT", "true"), "run");

    assertThat(run.policies.folders).map(Object::toString).containsExactly("/p");
    assertThat(run.policies.strict).isTrue();
  }

  @Test
  void ratelimit_takes_the_reference_services_environment() {
    var env = Map.of(
        "GRPC_PORT", "8082",
        "HOST", "127.0.0.9",
        "PORT", "8090",
        "REDIS_URL", "redis.example:6379",
        "REDIS_AUTH", "hunter2",
        "REDIS_TLS", "true",
        "GRPC_SERVER_USE_TLS", "true",
        "GRPC_SERVER_TLS_CERT", "/certs/tls.crt",
        "GRPC_SERVER_TLS_KEY", "/certs/tls.key",
        "CACHE_KEY_PREFIX", "p:");

    var command = parsed(RateLimitCommand.class, env, "ratelimit", "--policies", "a");

    assertThat(Address.text(command.listening.grpc)).isEqualTo("0.0.0.0:8082");
    assertThat(Address.text(command.listening.admin)).isEqualTo("127.0.0.9:8090");
    assertThat(command.redis.redis(env))
        .isEqualTo(RedisUrl.parse("rediss://:hunter2@redis.example:6379")
            .with(RedisSettings.DEFAULT_TIMEOUT, "p:"));
    assertThat(command.tls.settings())
        .satisfies(tls -> assertThat(tls.certificate()).hasToString("/certs/tls.crt"));
  }

  @Test
  void what_is_wrong_with_the_reference_services_environment_is_told_at_once() {
    var env = Map.of("PORT", "80801", "USE_PROMETHEUS", "yes", "BACKEND_TYPE", "memcached");
    assertThat(run(env, "ratelimit", "--policies", "x")).isEqualTo(1);
    assertThat(err.toString().lines())
        .containsExactly(
            "gatehouse: PORT=80801 (expected: a number from 0 to 65535)",
            "gatehouse: BACKEND_TYPE=memcached (expected: redis, memcache or memory)",
            "gatehouse: USE_PROMETHEUS=yes (expected: true or false)");
  }

  @Test
  void tls_that_is_asked_for_without_a_certificate_is_no_plaintext() {
    var env = Map.of("GRPC_SERVER_USE_TLS", "true");
    assertThat(run(env, "ratelimit", "--policies", "x")).isEqualTo(1);
    assertThat(err.toString())
        .contains("GRPC_SERVER_USE_TLS=true needs GRPC_SERVER_TLS_CERT and GRPC_SERVER_TLS_KEY");
  }

  @Test
  void tls_to_redis_that_is_asked_for_in_other_words_is_no_plaintext() {
    var env = Map.of("REDIS_TLS", "yes");
    assertThat(run(env, "run", "--policies", ".", "--redis-url", "redis://a:1")).isEqualTo(1);
    assertThat(err.toString()).contains("gatehouse: REDIS_TLS=yes (expected: true or false)");
  }

  @Test
  void redis_gets_some_time_at_least() {
    assertThat(run(Map.of(), "run", "--policies", ".", "--redis-timeout", "0")).isEqualTo(1);
    assertThat(err.toString()).contains("--redis-timeout=0ns (expected: 1ms or more)");
  }

  @Test
  void the_path_of_prometheus_begins_with_a_slash() {
    assertThat(RateLimitCommand.prometheusPath(environment("stats/prometheus")))
        .isEqualTo("/stats/prometheus");
    assertThat(RateLimitCommand.prometheusPath(environment("/"))).isEqualTo("/");
    assertThat(RateLimitCommand.prometheusPath(environment(""))).isEqualTo("/metrics");
  }

  private static ReferenceEnvironment environment(String prometheusPath) {
    return ReferenceEnvironment.of(Map.of("PROMETHEUS_PATH", prometheusPath));
  }

  @Test
  void the_drop_in_has_the_defaults_of_the_reference() {
    var env = Map.of("GATEHOUSE_DROP_IN", "true", "HOST", "127.0.0.1", "REDIS_TIMEOUT", "1s500ms");

    var command = parsed(RateLimitCommand.class, env, "ratelimit");

    assertThat(Address.text(command.listening.grpc)).isEqualTo("0.0.0.0:8081");
    assertThat(Address.text(command.listening.admin)).isEqualTo("127.0.0.1:8080");
    assertThat(Address.text(command.listening.debug)).isEqualTo("0.0.0.0:6070");
    assertThat(command.listening.prometheus).isNull();
    assertThat(command.server.maxConnectionAge).hasHours(24);
    assertThat(command.server.maxConnectionAgeGrace).hasHours(1);
    assertThat(command.server.logLevel).hasToString("WARN");
    assertThat(command.redis.redis(env)).satisfies(redis -> {
      assertThat(redis.topology()).hasToString("Single[at=/var/run/nutcracker/ratelimit.sock]");
      assertThat(redis.timeout()).hasMillis(1500);
    });
  }

  @Test
  void prometheus_and_client_certificates_come_from_the_reference_services_environment() {
    var env = Map.of(
        "USE_PROMETHEUS", "true",
        "PROMETHEUS_ADDR", ":19001",
        "GRPC_SERVER_USE_TLS", "true",
        "GRPC_SERVER_TLS_CERT", "/certs/tls.crt",
        "GRPC_SERVER_TLS_KEY", "/certs/tls.key",
        "GRPC_SERVER_TLS_CA_CERT", "/certs/ca.crt",
        "GRPC_CLIENT_TLS_SAN", "envoy");

    var command = parsed(RateLimitCommand.class, env, "ratelimit", "--policies", "a");

    assertThat(command.listening.prometheus.getPort()).isEqualTo(19001);
    assertThat(command.tls.settings()).satisfies(tls -> {
      assertThat(tls.clientCa()).hasToString("/certs/ca.crt");
      assertThat(tls.clientName()).isEqualTo("envoy");
    });
  }

  @Test
  void what_a_limit_does_by_default_comes_from_flags_and_our_own_variables() {
    var env = Map.of("GATEHOUSE_DEFAULT_ALGORITHM", "TokenBucket", "GATEHOUSE_REPLICAS", "3");

    var limits = parsed(
            RateLimitCommand.class,
            env,
            "ratelimit",
            "--policies",
            "a",
            "--all-or-nothing",
            "--on-unavailable",
            "Local")
        .limits
        .settings(null);

    assertThat(limits.limits().algorithm()).isEqualTo(Algorithm.TOKEN_BUCKET);
    assertThat(limits.limits().countsDenied()).isFalse();
    assertThat(limits.limits().onUnavailable()).isEqualTo(OnUnavailable.LOCAL);
    assertThat(limits.replicas()).isEqualTo(3);
    assertThat(run(Map.of(), "ratelimit", "--policies", "a", "--replicas", "0")).isEqualTo(1);
    assertThat(err.toString()).contains("--replicas=0 (expected: 1 or more)");
  }

  @Test
  void without_its_variables_ratelimit_listens_on_the_loopback() {
    var command =
        parsed(RateLimitCommand.class, Map.of("HOST", "my-laptop"), "ratelimit", "--policies", "a");

    assertThat(Address.text(command.listening.grpc)).isEqualTo("127.0.0.1:8081");
    assertThat(Address.text(command.listening.admin)).isEqualTo("127.0.0.1:8080");
    assertThat(command.redis.redis(Map.of("HOST", "my-laptop"))).isNull();
  }

  @Test
  void half_of_tls_is_refused() {
    assertThat(run(Map.of(), "ext-authz", "--policies", "x", "--tls-cert", "c.pem"))
        .isEqualTo(1);
    assertThat(err.toString()).contains("TLS needs both --tls-cert and --tls-key");
  }

  private int run(Map<String, String> env, String... args) {
    return Gatehouse.run(terminal(env, out, err), args);
  }

  private <T> T parsed(Class<T> type, Map<String, String> env, String... args) {
    var result = Gatehouse.commandLine(terminal(env, out, err)).parseArgs(args);
    return type.cast(result.subcommand().commandSpec().userObject());
  }

  private static Terminal terminal(Map<String, String> env, StringWriter out, StringWriter err) {
    return new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), env, false);
  }
}
