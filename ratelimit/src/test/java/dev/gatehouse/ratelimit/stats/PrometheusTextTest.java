package dev.gatehouse.ratelimit.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What dashboards read. */
final class PrometheusTextTest {
  private final Stats stats = new Stats(100, 0.8f);

  @TempDir
  Path folder;

  @Test
  void the_metrics_have_the_names_and_labels_of_the_reference() {
    stats.limit("ns/gw/http.key1_val1").counted(9, 1, 10, false);
    stats.limit("ns/gw/http.key1_val1.key2").counted(11, 1, 10, true);
    stats.serviceError();
    stats.configLoaded(true);
    stats.answered(Duration.ofMillis(7).toNanos());
    assertThat(page(Mapping.standard()))
        .contains(
            "# TYPE ratelimit_service_rate_limit_total_hits counter",
            "ratelimit_service_rate_limit_total_hits{domain=\"ns/gw/http\",key1=\"key1_val1\"} 1",
            "ratelimit_service_rate_limit_near_limit{domain=\"ns/gw/http\",key1=\"key1_val1\"} 1",
            "ratelimit_service_rate_limit_within_limit{domain=\"ns/gw/http\",key1=\"key1_val1\"} 1",
            "ratelimit_service_rate_limit_over_limit{domain=\"ns/gw/http\",key1=\"key1_val1\",key2=\"key2\"} 1",
            "ratelimit_service_rate_limit_shadow_mode{domain=\"ns/gw/http\",key1=\"key1_val1\",key2=\"key2\"} 1",
            "ratelimit_service_should_rate_limit_error{err_type=\"service_error\"} 1",
            "ratelimit_service_total_requests{grpc_method=\"ShouldRateLimit\"} 1",
            "ratelimit_service_config_load_success 1",
            "ratelimit_service_config_load_error 0",
            "# TYPE ratelimit_service_response_time_seconds histogram",
            "ratelimit_service_response_time_seconds_bucket{grpc_method=\"ShouldRateLimit\",le=\"0.005\"} 0",
            "ratelimit_service_response_time_seconds_bucket{grpc_method=\"ShouldRateLimit\",le=\"0.01\"} 1",
            "ratelimit_service_response_time_seconds_bucket{grpc_method=\"ShouldRateLimit\",le=\"+Inf\"} 1",
            "ratelimit_service_response_time_seconds_sum{grpc_method=\"ShouldRateLimit\"} 0.007",
            "ratelimit_service_response_time_seconds_count{grpc_method=\"ShouldRateLimit\"} 1");
  }

  /** As in the reference's own test: 1, 2 and 1 + 2 that the third key does not tell apart. */
  @Test
  void keys_after_the_second_are_summed_up() {
    stats.limit("domain1.key3_val3.key4_val4").over(1, false);
    stats.limit("domain1.key3_val3.key4_val4.key5_val5").over(2, false);
    assertThat(page(Mapping.standard()))
        .contains(
            "ratelimit_service_rate_limit_over_limit{domain=\"domain1\",key1=\"key3_val3\",key2=\"key4_val4\"} 3");
  }

  @Test
  void a_limit_that_was_never_hit_is_not_there() {
    stats.inForce(java.util.List.of("shop.idle"));
    assertThat(String.join("\n", page(Mapping.standard()))).doesNotContain("idle");
  }

  @Test
  void extra_tags_are_labels_of_every_series() {
    stats.limit("shop.user").over(1, false);
    assertThat(new PrometheusText(stats, Mapping.standard(), Map.of("zone", "a\"b"))
            .page()
            .lines())
        .contains(
            "ratelimit_service_rate_limit_over_limit{domain=\"shop\",key1=\"user\",zone=\"a\\\"b\"} 1",
            "ratelimit_service_config_load_success{zone=\"a\\\"b\"} 0");
  }

  @Test
  void a_tag_whose_name_prometheus_forbids_gets_another_and_a_label_is_not_there_twice() {
    stats.limit("shop.user,zone=").over(1, false);
    var tags = new java.util.LinkedHashMap<String, String>();
    tags.put("k8s-app", "x");
    tags.put("k8s.app", "y");
    tags.put("9", "z");
    tags.put("domain", "other");
    tags.put("zone", "a");
    assertThat(new PrometheusText(stats, Mapping.standard(), tags).page().lines())
        .contains(
            "ratelimit_service_rate_limit_over_limit{domain=\"shop\",key1=\"user,zone=\",k8s_app=\"x\",_9=\"z\",zone=\"a\"} 1",
            "ratelimit_service_config_load_success{k8s_app=\"x\",_9=\"z\",domain=\"other\",zone=\"a\"} 0");
  }

  @Test
  void a_mapper_files_names_and_references_that_nothing_can_mean_do_no_harm() throws IOException {
    stats.limit("shop.user").over(1, false);
    var loaded = MapperFile.read(written("""
        mappings:
        - match: ratelimit.service.rate_limit.*.*.over_limit
          name: denied
          labels: {my-label: "$1", my.label: "$2", far: "$99999999999"}
        """));
    assertThat(page(loaded.mapping())).contains("denied{my_label=\"shop\",far=\"9999999\"} 1");
  }

  @Test
  void a_mapper_file_that_says_what_the_standard_says_gives_the_same_page() throws IOException {
    stats.limit("shop.user_ada").counted(9, 1, 10, false);
    stats.limit("shop.user.path_a.method").counted(11, 1, 10, false);
    stats.answered(Duration.ofMillis(7).toNanos());
    var mapper = new StringBuilder("mappings:\n");
    for (var stat : LimitStats.Stat.ALL) {
      mapper.append("""
          - match: "ratelimit.service.rate_limit.*.*.STAT"
            name: ratelimit_service_rate_limit_STAT
            timer_type: histogram
            labels: {domain: "$1", key1: "$2"}
          - match: 'ratelimit\\.service\\.rate_limit\\.([^.]*)\\.([^.]*)\\.([^.]*)(\\..*)?\\.STAT$'
            match_type: regex
            name: ratelimit_service_rate_limit_STAT
            labels: {domain: "$1", key1: "$2", key2: "${3}"}
          """.replace("STAT", stat.text()));
    }
    mapper.append("""
        - match: "ratelimit.service.call.should_rate_limit.*"
          name: ratelimit_service_should_rate_limit_error
          match_metric_type: counter
          labels: {err_type: "$1"}
        - match: "ratelimit_server.*.total_requests"
          name: ratelimit_service_total_requests
          labels: {grpc_method: "$1"}
        - match: "ratelimit_server.*.response_time"
          name: ratelimit_service_response_time_seconds
          timer_type: histogram
          scale: 0.001
          labels: {grpc_method: "$1"}
        """);
    var loaded = MapperFile.read(written(mapper.toString()));
    assertThat(loaded.problems()).isEmpty();
    var standard = page(Mapping.standard());
    assertThat(new PrometheusText(copy(), loaded.mapping(), Map.of()).page().lines())
        .containsExactlyInAnyOrderElementsOf(standard);
  }

  /** The series of a key are found once: another mapping needs other keys. */
  private Stats copy() {
    var copy = new Stats(100, 0.8f);
    copy.limit("shop.user_ada").counted(9, 1, 10, false);
    copy.limit("shop.user.path_a.method").counted(11, 1, 10, false);
    copy.answered(Duration.ofMillis(7).toNanos());
    return copy;
  }

  @Test
  void a_mapper_file_drops_renames_and_leaves_the_rest_as_it_is() throws IOException {
    stats.limit("shop.user").over(1, false);
    stats.answered(Duration.ofMillis(7).toNanos());
    var loaded = MapperFile.read(written("""
        mappings:
        - {match: ratelimit.service.rate_limit.*.*.over_limit, name: denied, labels: {who: "$1-$2"}}
        - {match: ratelimit.service.rate_limit.*.*.*, action: drop}
        - {match: ratelimit_server.*.response_time, name: took, timer_type: histogram}
        """));
    assertThat(loaded.problems()).isEmpty();
    assertThat(page(loaded.mapping()))
        .contains(
            "denied{who=\"shop-user\"} 1",
            "ratelimit_service_config_load_success 0",
            "took_bucket{le=\"5\"} 0",
            "took_bucket{le=\"10\"} 1",
            "took_sum 7")
        .noneMatch(line -> line.contains("total_hits"));
  }

  @Test
  void what_of_a_mapper_file_is_not_honoured_is_named() throws IOException {
    var loaded = MapperFile.read(written("""
        defaults: {ttl: 1h}
        mappings:
        - {match: a.*, name: a, ttl: 5m}
        - {match: "a(", match_type: regex, name: b}
        """));
    assertThat(loaded.problems())
        .hasSize(3)
        .anySatisfy(problem -> assertThat(problem).contains("defaults is not honoured"))
        .anySatisfy(problem -> assertThat(problem).contains("mappings[0].ttl is not honoured"))
        .anySatisfy(
            problem -> assertThat(problem).contains("mappings[1].match").contains("left out"));
  }

  @Test
  void without_the_file_the_standard_mapping_holds_and_a_line_says_so() {
    var loaded = MapperFile.read(folder.resolve("none.yaml"));
    assertThat(loaded.mapping()).isEqualTo(Mapping.standard());
    assertThat(loaded.problems())
        .singleElement()
        .asString()
        .contains("none.yaml: no such file; the standard mapping is used");
  }

  private java.util.List<String> page(Mapping mapping) {
    return new PrometheusText(stats, mapping, Map.of()).page().lines().toList();
  }

  private Path written(String yaml) throws IOException {
    return Files.writeString(folder.resolve("conf.yaml"), yaml);
  }
}
