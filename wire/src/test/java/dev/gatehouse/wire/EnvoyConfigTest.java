package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static dev.gatehouse.wire.Wired.rule;
import static dev.gatehouse.wire.Wired.shop;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.source.Load;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvoyConfigTest {
  @TempDir
  Path folder;

  @Test
  void a_watched_configuration_is_a_bootstrap_and_the_files_that_it_names() {
    var files = config("/etc/envoy", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP)).files();
    assertThat(files.keySet())
        .containsExactly("clusters.yaml", "envoy.yaml", "listeners.yaml", "routes-http-8080.yaml");
    assertThat(json(files.getOrDefault("envoy.yaml", "")).get("dynamic_resources"))
        .isEqualTo(json("""
        lds_config: {path_config_source: {path: /etc/envoy/listeners.yaml}, resource_api_version: V3}
        cds_config: {path_config_source: {path: /etc/envoy/clusters.yaml}, resource_api_version: V3}
        """));
    assertThat(json(files.getOrDefault("listeners.yaml", ""))
            .at("/resources/0/filter_chains/0/filters/0/typed_config/rds"))
        .isEqualTo(json("""
            config_source: {path_config_source: {path: /etc/envoy/routes-http-8080.yaml}, resource_api_version: V3}
            route_config_name: http-8080
            """));
    assertThat(json(files.getOrDefault("routes-http-8080.yaml", ""))
            .at("/resources/0/name")
            .asString())
        .isEqualTo("http-8080");
  }

  @Test
  void an_edit_of_routes_and_of_body_modes_changes_the_routes_file_alone() {
    var before = config("/e", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP)).files();
    var after = config(
            "/e",
            Wired.GATEWAY,
            Wired.BACKEND,
            rule("timeouts: {request: 3s}\n" + TO_UP),
            RoutesTest.transform(
                "limits: {requestBytes: 20Mi}\nrequest: [{json: [{op: remove, at: /x}]}]"))
        .files();
    assertThat(after.keySet()).isEqualTo(before.keySet());
    assertThat(after.entrySet().stream()
            .filter(f -> !f.getValue().equals(before.get(f.getKey())))
            .map(f -> f.getKey()))
        .containsExactly("routes-http-8080.yaml");
  }

  @Test
  void the_same_policies_give_the_same_text_whatever_the_order_of_their_files() {
    var rate = RoutesTest.limit("limit: {requests: 5, unit: Minute}\n");
    assertThat(config("/e", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP), RoutesTest.GUARDED, rate))
        .isEqualTo(
            config("/e", rate, rule(TO_UP), RoutesTest.GUARDED, Wired.BACKEND, Wired.GATEWAY));
  }

  @Test
  void headers_that_policies_own_are_removed_before_routing_and_on_every_virtual_host() {
    var wired = shop(rule(TO_UP), RoutesTest.GUARDED);
    assertThat(wired.manager().at("/early_header_mutation_extensions/0/typed_config/mutations"))
        .isEqualTo(json("[{remove: x-user}]"));
    assertThat(
            wired
                .hosts()
                .map(
                    h -> h.at(
                        "/typed_per_filter_config/envoy.filters.http.header_mutation/mutations/request_mutations")))
        .containsExactly(json("[{remove: x-user}]"));
    assertThat(shop(rule(TO_UP)).manager().has("early_header_mutation_extensions"))
        .isFalse();
  }

  @Test
  void ext_authz_is_asked_unless_a_route_says_otherwise_and_the_others_only_where_it_does() {
    var wired = shop(rule(TO_UP));
    assertThat(wired.httpFilter("envoy.filters.http.ext_authz").has("disabled")).isFalse();
    for (var other : List.of("cors", "ext_proc", "ratelimit", "header_mutation")) {
      assertThat(wired.httpFilter("envoy.filters.http." + other).get("disabled").asBoolean())
          .as(other)
          .isTrue();
    }
    assertThat(wired
            .httpFilter("envoy.filters.http.ext_authz")
            .at("/typed_config/failure_mode_allow")
            .asBoolean(true))
        .isFalse();
    assertThat(wired
            .httpFilter("envoy.filters.http.ext_proc")
            .at("/typed_config/failure_mode_allow")
            .asBoolean(true))
        .isFalse();
  }

  @Test
  void every_callout_says_which_request_it_is_about() {
    var wired = shop(rule(TO_UP));
    var expected = json("[{key: x-request-id, value: '%REQ(x-request-id)%'}]");
    assertThat(wired
            .httpFilter("envoy.filters.http.ext_authz")
            .at("/typed_config/grpc_service/initial_metadata"))
        .isEqualTo(expected);
    assertThat(wired
            .httpFilter("envoy.filters.http.ext_proc")
            .at("/typed_config/grpc_service/initial_metadata"))
        .isEqualTo(expected);
    assertThat(wired
            .httpFilter("envoy.filters.http.ratelimit")
            .at("/typed_config/rate_limit_service/grpc_service/initial_metadata"))
        .isEqualTo(expected);
  }

  @Test
  void the_services_are_clusters_of_http2_by_address_or_by_name_whose_answers_do_not_pile_up() {
    var wired = shop();
    assertThat(wired.cluster("ext-authz").get("type").asString()).isEqualTo("STATIC");
    assertThat(wired.cluster("ext-proc").get("type").asString()).isEqualTo("STRICT_DNS");
    for (var name : List.of("ext-authz", "ext-proc", "ratelimit")) {
      assertThat(wired
              .cluster(name)
              .at(
                  "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions/explicit_http_config/http2_protocol_options/initial_stream_window_size")
              .asInt())
          .as(name)
          .isEqualTo(262_144);
    }
  }

  @Test
  void backends_are_clusters_by_the_kind_of_their_endpoints() {
    var backends = """
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: Backend
        metadata: {name: %s, namespace: shop}
        spec: {endpoints: [%s]}
        """;
    var wired = shop(
        backends.formatted(
            "named",
            "{fqdn: {hostname: up.example, port: 80}}, {ip: {address: 10.0.0.2, port: 81}}"),
        backends.formatted("local", "{unix: {path: /run/up.sock}}"),
        rule(
            "backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: named}, {group: gateway.envoyproxy.io, kind: Backend, name: local}]"));
    assertThat(wired.cluster("backend/shop/named").get("type").asString()).isEqualTo("STRICT_DNS");
    assertThat(wired.cluster("backend/shop/local").get("type").asString()).isEqualTo("STATIC");
    assertThat(wired
            .cluster("backend/shop/local")
            .at("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address"))
        .isEqualTo(json("{pipe: {path: /run/up.sock}}"));
    assertThat(wired.cluster("backend/shop/up").isMissingNode())
        .as("a Backend that no route uses")
        .isTrue();
  }

  @Test
  void the_access_log_is_off_unless_it_is_asked_for() {
    assertThat(shop().manager().has("access_log")).isFalse();
    var s = Wired.SETTINGS;
    var logging = new WireSettings(
        s.extAuthz(),
        s.ratelimit(),
        s.extProc(),
        s.admin(),
        s.bindAddress(),
        s.listenerPorts(),
        s.backends(),
        true,
        null);
    assertThat(
            Wired.of(logging, Wired.GATEWAY).manager().at("/access_log/0/name").asString())
        .isEqualTo("envoy.access_loggers.stdout");
  }

  @Test
  void files_are_written_for_their_owner_alone_and_only_when_they_changed() throws IOException {
    var config = config(folder.toString(), Wired.GATEWAY, Wired.BACKEND, rule(TO_UP));
    config.write(folder);
    for (var file : config.files().keySet()) {
      assertThat(Files.readString(folder.resolve(file)))
          .isEqualTo(config.files().get(file));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
          .isEqualTo("rw-------");
    }
    var key = Files.readAttributes(
            folder.resolve("listeners.yaml"), java.nio.file.attribute.BasicFileAttributes.class)
        .fileKey();
    config.write(folder);
    assertThat(Files.readAttributes(
                folder.resolve("listeners.yaml"), java.nio.file.attribute.BasicFileAttributes.class)
            .fileKey())
        .isEqualTo(key);
    assertThat(folder.toFile().list())
        .containsExactlyInAnyOrderElementsOf(config.files().keySet());
  }

  @Test
  void a_route_table_that_nobody_names_any_more_is_deleted() throws IOException {
    config("/e", Wired.GATEWAY, Wired.GATEWAY.replace("web", "other").replace("8080", "9090"))
        .write(folder);
    assertThat(folder.resolve("routes-http-9090.yaml")).exists();
    config("/e", Wired.GATEWAY).write(folder);
    assertThat(folder.resolve("routes-http-9090.yaml")).doesNotExist();
    assertThat(folder.resolve("routes-http-8080.yaml")).exists();
  }

  @Test
  void a_cluster_stands_until_the_routes_that_led_to_it_are_replaced_twice() throws IOException {
    var other = Wired.BACKEND.replace("name: up", "name: other");
    var toOther = rule(TO_UP.replace("name: up", "name: other"));
    config("/e", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP)).write(folder);
    config("/e", Wired.GATEWAY, other, toOther).write(folder);
    assertThat(backends()).containsExactlyInAnyOrder("backend/shop/other", "backend/shop/up");
    config("/e", Wired.GATEWAY, other, toOther.replace("/a", "/b")).write(folder);
    assertThat(backends()).containsExactly("backend/shop/other");
  }

  @Test
  void a_damaged_file_is_replaced() throws IOException {
    for (var damaged : List.of("", "resources: [{name: a}", "a: b", "text", "resources: 7")) {
      Files.writeString(folder.resolve("clusters.yaml"), damaged);
      config("/e", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP)).write(folder);
      assertThat(backends()).as(damaged).containsExactly("backend/shop/up");
    }
  }

  private List<String> backends() throws IOException {
    var clusters = json(Files.readString(folder.resolve("clusters.yaml"))).get("resources");
    return Wired.each(clusters)
        .map(c -> c.get("name").asString())
        .filter(name -> name.startsWith("backend/"))
        .toList();
  }

  private static EnvoyConfig config(String watched, String... documents) {
    var load = Load.text("policies.yaml", String.join("---\n", documents));
    return EnvoyConfig.of(load.policies(), Wired.settings(watched), load.problems());
  }
}
