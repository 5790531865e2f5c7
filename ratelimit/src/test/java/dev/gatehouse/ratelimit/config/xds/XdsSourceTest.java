package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.util.JsonFormat;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitDescriptor;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitPolicy;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitUnit;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.config.ConfigCompiler;
import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.ratelimit.config.yaml.YamlReader;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.testkit.AdsServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.dataformat.yaml.YAMLMapper;

class XdsSourceTest {
  private final AdsServer server = AdsServer.plaintext();
  private final PolicySource policies = PolicySource.folders(List.of(), false);
  private final Sources sources = Sources.of(policies, Defaults.REFERENCE, false);
  private XdsSource source;

  @BeforeEach
  void start() {
    policies.start();
    source = XdsSource.start(XdsSettings.plaintext(server.address(), "envoy-ratelimit"), sources);
  }

  @AfterEach
  void close() {
    source.close();
    policies.close();
    server.close();
  }

  private static RateLimitConfig domain(String name, RateLimitUnit unit) {
    return RateLimitConfig.newBuilder()
        .setName(name)
        .setDomain(name)
        .addDescriptors(RateLimitDescriptor.newBuilder()
            .setKey("user")
            .setRateLimit(RateLimitPolicy.newBuilder().setUnit(unit).setRequestsPerUnit(5)))
        .build();
  }

  @Test
  void what_is_served_is_in_force_when_it_is_acknowledged() {
    assertThat(sources.loaded()).isFalse();
    server.serve("1", List.of(domain("a", RateLimitUnit.DAY), domain("b", RateLimitUnit.DAY)));

    server.awaitAck("1");

    assertThat(sources.loaded()).isTrue();
    assertThat(sources.live().current().domains()).contains("a", "b");
  }

  @Test
  void a_refusal_tells_the_control_plane_all_that_is_wrong_and_keeps_the_last_good_whole() {
    server.serve("1", List.of(domain("a", RateLimitUnit.DAY)));
    server.awaitAck("1");

    server.serve(
        "2",
        List.of(
            domain("b", RateLimitUnit.DAY),
            domain("c", RateLimitUnit.UNKNOWN),
            domain("", RateLimitUnit.DAY)));

    assertThat(server.awaitNack("missing").getErrorDetail().getMessage())
        .isEqualTo("xds/2: domain: is missing or empty: every configuration has one\n"
            + "xds/c: descriptors[0].rate_limit.unit: is missing (expected: second, minute, hour,"
            + " day, week, month or year)");
    assertThat(sources.live().current().domains()).contains("a").doesNotContain("b", "c");
  }

  @Test
  void a_domain_that_is_not_served_any_more_is_gone() {
    server.serve("1", List.of(domain("a", RateLimitUnit.DAY), domain("b", RateLimitUnit.DAY)));
    server.awaitAck("1");

    server.serve("2", List.of(domain("b", RateLimitUnit.DAY)));
    server.awaitAck("2");

    assertThat(sources.live().current().domains()).contains("b").doesNotContain("a");
  }

  @Test
  void what_is_in_force_stays_so_when_the_control_plane_goes_away() {
    server.serve("1", List.of(domain("a", RateLimitUnit.DAY)));
    server.awaitAck("1");

    server.stop();

    assertThat(sources.loaded()).isTrue();
    assertThat(sources.live().current().domains()).contains("a");
  }

  @Test
  void a_domain_in_two_resources_is_refused() {
    server.serve(
        "1",
        List.of(
            domain("a", RateLimitUnit.DAY),
            domain("a", RateLimitUnit.HOUR).toBuilder().setName("other").build()));

    assertThat(server.awaitNack("").getErrorDetail().getMessage())
        .startsWith("xds/other: domain: \"a\" is in a already");
    assertThat(sources.loaded()).isFalse();
  }

  /** Envoy Gateway's samples, served as it serves them, and read as YAML. */
  @Test
  void envoy_gateways_samples_make_the_same_tree_over_xds_and_as_yaml() throws IOException {
    var files = samples();
    assertThat(files).isNotEmpty();
    for (var file : files) {
      var text = Files.readString(file);
      var problems = new Problems();
      var yaml = ConfigCompiler.compile(
          YamlReader.read(file.toString(), text, problems), Defaults.REFERENCE, false, problems);
      assertThat(problems.all()).as(file.toString()).isEmpty();

      server.serve(file.toString(), resources(text));
      server.awaitAck(file.toString());

      var overXds = sources.live().current();
      assertThat(overXds.domains()).as(file.toString()).containsAll(yaml.domains());
      assertThat(limits(overXds, yaml))
          .as(file.toString())
          .isNotEmpty()
          .isEqualTo(limits(yaml, yaml));
    }
  }

  /** What makes a limit what it is; its origin tells the reader. */
  private static List<String> limits(LimitTree tree, LimitTree domainsOf) {
    return tree.limits().stream()
        .filter(
            limit -> domainsOf.domains().stream().anyMatch(d -> limit.metric().startsWith(d + ".")))
        .map(XdsSourceTest::shown)
        .sorted()
        .toList();
  }

  private static String shown(Limit limit) {
    return limit + " " + limit.algorithm() + (limit.shadow() ? " shadow" : "")
        + (limit.terms().quota() ? " quota" : "") + limit.terms().replaces();
  }

  private static List<RateLimitConfig> resources(String yaml) throws IOException {
    var mapper = new YAMLMapper();
    var resources = new ArrayList<RateLimitConfig>();
    for (var document : yaml.split("(?m)^---$")) {
      var resource = RateLimitConfig.newBuilder();
      // The dump has two fields that xDS has not.
      JsonFormat.parser()
          .ignoringUnknownFields()
          .merge(mapper.readTree(document).toString(), resource);
      resources.add(resource.build());
    }
    return resources;
  }

  private static List<Path> samples() throws IOException {
    var data = System.getProperty("gatehouse.data");
    if (data == null) {
      assertThat(System.getenv("CI"))
          .as("in CI -Dgatehouse.data must name the data folder")
          .isNotEqualTo("true");
    }
    assumeTrue(
        data != null,
        "run with -Dgatehouse.data=FOLDER, which has envoy-gateway/ratelimit-config in it");
    try (var files = Files.list(Path.of(data, "envoy-gateway", "ratelimit-config"))) {
      return files.filter(f -> !f.toString().endsWith(".routes.yaml")).sorted().toList();
    }
  }
}
