package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a newcomer runs first. */
final class DemoTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir
  Path folder;

  @Test
  void check_runs_every_printed_line_and_all_answers_are_as_promised() throws Exception {
    var ended = Distribution.run("gatehouse", "demo", "--check");

    assertThat(ended.output())
        .contains("counters in memory")
        .contains("GET /orders as reader")
        .contains("200 200 200 200 200 429")
        .contains("as promised")
        .doesNotContain("WRONG");
    assertThat(ended.code()).isZero();
  }

  @Test
  void check_ends_with_1_when_an_answer_is_not_as_promised() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    Files.delete(policies.resolve("transform.yaml"));

    var ended = Distribution.run("gatehouse", "demo", "--check", "--policies", policies.toString());

    assertThat(ended.output()).contains("WRONG").contains("the body holds 4111111111111111");
    assertThat(ended.code()).isOne();
  }

  @Test
  void requests_and_edits_are_shown_as_they_happen_and_everything_ends_with_it() throws Exception {
    var policies = Distribution.demoPolicies(folder.resolve("policies"));
    try (var demo =
        Distribution.start(Map.of(), "gatehouse", "demo", "--policies", policies.toString())) {
      var url = find(demo, "Envoy +(http://localhost:\\d+)");
      demo.awaitSays("as it is decided");

      assertThat(get(url + "/orders")).isEqualTo(401);
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> assertThat(demo.output())
                  .containsPattern(
                      "\\d\\d:\\d\\d:\\d\\d GET +/orders +401 - +denied by shop/orders \\(no-credential\\).*ext-authz \\d+ µs"));
      assertThat(get(url + "/nowhere")).isEqualTo(404);
      demo.awaitSays("answered by Envoy: no route");

      assertThat(get(url + "/orders", token("--scope", "orders:read"))).isEqualTo(200);
      assertThat(get(url + "/orders", token("--scope", "orders:write"))).isEqualTo(403);
      assertThat(get(url + "/orders", token("--issuer", "https://else.where"))).isEqualTo(401);

      var routes = policies.resolve("shop.yaml");
      var good = Files.readString(routes);
      replace(routes, good.replace("value: /public}", "value: /nowhere}"));
      demo.awaitSays("policies changed: 3 route rules are in force");
      assertThat(get(url + "/nowhere")).isEqualTo(404).isNotEqualTo(401);
      assertThat(get(url + "/public")).isEqualTo(404);

      replace(routes, good.replace("kind: HTTPRoute", "kind: HTTPRoute\nbogus: 1"));
      demo.awaitSays("not in force");
      find(demo, "(shop\\.yaml:\\d+:\\d+): .*bogus");

      var all = demo.handle().descendants().toList();
      assertThat(all).as("Envoy runs below the demo").isNotEmpty();
      demo.terminated();
      await().atMost(PATIENCE).until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
    }
  }

  @Test
  void without_an_envoy_it_says_how_to_get_one() throws Exception {
    try (var demo = Distribution.start(
        Map.of(
            "PATH", "/nowhere:/bin",
            "HOME", folder.toString(),
            "XDG_CACHE_HOME", folder.toString(),
            "ENVOY_BIN", folder.resolve("no-envoy").toString()),
        "gatehouse",
        "demo")) {
      await().atMost(PATIENCE).until(() -> !demo.alive());
      demo.awaitSays("is not an executable file; name an Envoy, or unset ENVOY_BIN");
    }
  }

  private static String find(Distribution.Running demo, String regex) {
    var pattern = Pattern.compile(regex);
    await().atMost(PATIENCE).until(() -> pattern.matcher(demo.output()).find());
    var match = pattern.matcher(demo.output());
    assertThat(match.find()).isTrue();
    return match.group(1);
  }

  private static void replace(Path file, String content) throws Exception {
    var part = Files.writeString(file.resolveSibling(".part"), content);
    Files.move(part, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  private static String token(String... options) throws Exception {
    var ended = Distribution.run(
        "gatehouse",
        Stream.concat(Stream.of("token", "--sub", "ada"), Stream.of(options))
            .toArray(String[]::new));
    assertThat(ended.output()).as("the token alone").matches("[A-Za-z0-9_.-]+");
    return ended.output();
  }

  private static int get(String url) throws Exception {
    return get(url, null);
  }

  private static int get(String url, String token) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(url));
    if (token != null) {
      request.header("authorization", "Bearer " + token);
    }
    try (var http = HttpClient.newHttpClient()) {
      return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    }
  }
}
