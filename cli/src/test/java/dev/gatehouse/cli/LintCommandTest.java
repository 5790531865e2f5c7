package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

final class LintCommandTest {
  private static final Path DEMO = Path.of("../deploy/demo/policies");

  @TempDir
  Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void the_demos_policies_are_sound_and_the_open_route_is_listed() {
    assertThat(run("lint", DEMO.toString())).isZero();
    assertThat(out.toString())
        .contains("open: HTTPRoute/shop/public/")
        .contains("3 route rules, 0 errors, 0 warnings, 1 open");
  }

  @Test
  void an_error_is_shown_with_its_place_and_ends_with_one() throws IOException {
    demoWith("limits.yaml", "unit: Minute", "unitt: Minute");

    assertThat(run("lint", folder.toString())).isOne();
    assertThat(out.toString())
        .containsPattern("limits\\.yaml:\\d+:\\d+: .*unitt.*did you mean \"unit\"")
        .contains("2 errors");
  }

  @Test
  void a_field_that_the_services_cannot_honour_is_an_error_too() throws IOException {
    demoWith("transform.yaml", "request.method == 'GET'", "requst.method == 'GET'");

    assertThat(run("lint", folder.toString())).isOne();
    assertThat(out.toString()).containsPattern("transform\\.yaml:\\d+:\\d+: .*requst");
  }

  @Test
  void a_policy_for_a_route_that_is_not_there_is_a_warning_which_counts_where_it_shall()
      throws IOException {
    demoWith("transform.yaml", "name: orders}]", "name: order}]");

    assertThat(run("lint", folder.toString())).isZero();
    assertThat(out.toString()).containsPattern("transform\\.yaml:\\d+:\\d+: warning: .*order");
    assertThat(run("lint", "--strict", folder.toString())).isOne();
    assertThat(run("lint", "--strict", DEMO.toString())).isZero();
  }

  @Test
  void json_names_file_line_and_column() throws IOException {
    demoWith("limits.yaml", "unit: Minute", "unitt: Minute");

    assertThat(run("lint", "--output", "json", folder.toString())).isOne();
    var json = JsonMapper.shared().readTree(out.toString());
    assertThat(json.at("/errors").asInt()).isPositive();
    assertThat(json.at("/problems/0/file").asString()).endsWith("limits.yaml");
    assertThat(json.at("/problems/0/line").asInt()).isPositive();
    assertThat(json.at("/open/0/route").asString()).startsWith("HTTPRoute/shop/public/");
  }

  @Test
  void the_references_configuration_is_looked_at_alone_or_beside_policies() throws IOException {
    Files.writeString(
        folder.resolve("a.yaml"),
        "domain: shop\ndescriptors: [{key: a, rate_limit: {unit: secnd, requests_per_unit: 1}}]\n");
    Files.writeString(folder.resolve("b.yaml"), "domain: shop\n");
    Files.writeString(folder.resolve(".b.yaml.swp"), "left by an editor");

    assertThat(run("lint", "--ratelimit-config", folder.toString())).isOne();
    assertThat(out.toString())
        .contains("a.yaml:2:37: descriptors[0].rate_limit.unit: \"secnd\" is not one of")
        .contains("b.yaml:1:1: domain: \"shop\" is in")
        .contains("2 errors");

    out.getBuffer().setLength(0);
    assertThat(run(
            "lint", DEMO.toString(), "--ratelimit-config", folder.toString(), "--merge-domains"))
        .isOne();
    assertThat(out.toString()).contains("3 route rules, 1 error, 0 warnings");
  }

  @Test
  void a_domain_that_policies_and_configuration_define_is_an_error() throws IOException {
    Files.writeString(folder.resolve("a.yaml"), "domain: shop/web/http\n");

    assertThat(run("lint", DEMO.toString(), "--ratelimit-config", folder.toString()))
        .isOne();
    assertThat(out.toString())
        .contains("a.yaml:1:1: domain: \"shop/web/http\" is a domain of the policies too");
  }

  @Test
  void nothing_to_look_at_is_said() {
    assertThat(run("lint")).isOne();
    assertThat(err.toString()).contains("name a folder of policies, or --ratelimit-config");
  }

  @Test
  void a_folder_that_is_not_there_is_said() {
    assertThat(run("lint", "/nowhere")).isOne();
    assertThat(err.toString()).contains("/nowhere is not a folder");
  }

  @Test
  void wire_writes_one_file_to_the_output_and_several_to_a_folder() {
    assertThat(run("wire", "envoy", "--policies", DEMO.toString())).isZero();
    assertThat(out.toString()).contains("static_resources").contains("9001");

    assertThat(run(
            "wire",
            "envoy",
            "--policies",
            DEMO.toString(),
            "--out",
            folder.toString(),
            "--ext-authz",
            "authz.internal:7001",
            "--backend",
            "shop/shop=10.0.0.9:80",
            "--listener-port",
            "shop/web/http=8888"))
        .isZero();
    assertThat(folder.resolve("envoy.yaml")).exists();
    assertThat(folder.resolve("clusters.yaml"))
        .content()
        .contains("authz.internal")
        .contains("10.0.0.9");
    assertThat(folder.resolve("listeners.yaml")).content().contains("8888");
  }

  @Test
  void wire_writes_what_fails_closed_and_says_what_the_services_cannot_honour() throws IOException {
    demoWith("transform.yaml", "request.method == 'GET'", "requst.method == 'GET'");

    for (var proxy : List.of(
        List.of("envoy"), List.of("envoy-gateway", "--ext-proc-service=gatehouse/ext-proc:9002"))) {
      err.getBuffer().setLength(0);
      out.getBuffer().setLength(0);
      var arguments = new ArrayList<>(List.of("wire"));
      arguments.addAll(proxy);
      arguments.add("--policies=" + folder);
      assertThat(run(arguments.toArray(String[]::new))).as("%s", proxy).isOne();
      assertThat(err.toString()).containsPattern("transform\\.yaml:\\d+:\\d+: .*requst");
      assertThat(out.toString()).contains("9002");
    }
  }

  @Test
  void behind_envoy_gateway_the_routes_that_change_something_need_an_extension_policy()
      throws IOException {
    assertThat(run("lint", DEMO.toString(), "--gateway", "envoy-gateway")).isOne();
    assertThat(out.toString())
        .containsPattern(
            "transform\\.yaml:\\d+:\\d+: spec\\.targetRefs: no EnvoyExtensionPolicy sends HTTPRoute shop/orders to ext-proc");

    demoWith("transform.yaml", "", "");
    assertThat(run(
            "wire",
            "envoy-gateway",
            "--policies",
            DEMO.toString(),
            "--ext-proc-service",
            "gatehouse/ext-proc:9002",
            "--out",
            folder.toString()))
        .isZero();
    out.getBuffer().setLength(0);
    assertThat(run(
            "lint",
            folder.toString(),
            "--gateway=envoy-gateway",
            "--ext-proc-service=gatehouse/ext-proc:9002"))
        .isZero();
    assertThat(out.toString()).endsWith("3 route rules, 0 errors, 0 warnings\n");
  }

  @Test
  void what_envoy_gateway_enforces_is_its_own_to_judge() throws IOException {
    demoWith("security.yaml", "  cors:", "  oidc: {}\n  cors:");
    assertThat(run("lint", folder.toString())).isOne();
    assertThat(out.toString()).contains("oidc");

    out.getBuffer().setLength(0);
    run("lint", folder.toString(), "--gateway", "envoy-gateway");
    assertThat(out.toString())
        .contains("notice: skipped: the gateway enforces a SecurityPolicy by itself")
        .doesNotContain("oidc", "asks nobody");
  }

  @Test
  void wire_envoy_gateway_writes_to_the_output_what_the_gateway_must_send() {
    assertThat(run(
            "wire",
            "envoy-gateway",
            "--policies",
            DEMO.toString(),
            "--ext-proc-service",
            "shop/ext-proc:9002"))
        .isZero();
    assertThat(out.toString())
        .contains("kind: \"EnvoyExtensionPolicy\"", "name: \"gatehouse-httproute-orders\"")
        .doesNotContain("ReferenceGrant");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void a_service_or_gateway_that_is_none_is_said() {
    assertThat(run("lint", DEMO.toString(), "--ext-proc-service", "ext-proc")).isEqualTo(2);
    assertThat(err.toString())
        .contains(
            "(expected: NAMESPACE/NAME:PORT, such as gatehouse/ext-proc:9002, or Backend/NAMESPACE/NAME)");
    assertThat(run("lint", DEMO.toString(), "--gateway", "istio")).isEqualTo(2);
    assertThat(err.toString()).contains("\"istio\" (expected: envoy or envoy-gateway)");
  }

  @Test
  void a_step_that_waits_for_a_whole_body_is_told_of() throws IOException {
    demoWith(
        "transform.yaml",
        "  response:",
        "  response:\n  - {when: response.code == 200 && response.body.x == 1, headers: {remove: [x-a]}}");

    run("lint", folder.toString());
    assertThat(out.toString())
        .contains("buffers response bodies up to 10Mi, because its when reads response.body");
  }

  private void demoWith(String file, String text, String instead) throws IOException {
    try (var files = Files.list(DEMO)) {
      for (var from : files.toList()) {
        Files.copy(from, folder.resolve(from.getFileName()));
      }
    }
    var changed = folder.resolve(file);
    var content = Files.readString(changed);
    assertThat(content).contains(text);
    Files.writeString(changed, content.replace(text, instead));
  }

  private int run(String... args) {
    return Gatehouse.run(
        new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), Map.of(), false),
        args);
  }
}
