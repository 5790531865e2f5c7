package dev.gatehouse.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a service shows of itself over HTTP, and the listeners that show some of it. */
final class HttpPagesTest {
  private static final Shown SHARED = new Shown();
  private static Running shared;

  private final Shown service = new Shown();

  @BeforeAll
  static void start() {
    shared = Running.of(SHARED);
  }

  @AfterAll
  static void stop() {
    shared.close();
  }

  @Test
  void a_services_pages_stand_beside_the_others_and_its_metrics_behind_theirs() throws Exception {
    assertThat(shared.admin("/").body()).contains("/policies\n/mine\n/post\n");
    assertThat(shared.admin("/mine").body()).isEqualTo("mine\n");
    assertThat(shared.admin("/metrics").body())
        .contains("gatehouse_ready 1.0\n")
        .endsWith("mine_total 5\n");
  }

  @Test
  void another_listener_shows_the_pages_that_it_names_and_no_other() throws Exception {
    try (var running = Running.with(
        settings -> settings.withHttp(List.of(new ServerSettings.Http(
            "debug", Running.ANY, Map.of("/stats", "/mine", "/prom", "/metrics")))),
        service)) {
      assertThat(other(running, "/stats").body()).isEqualTo("mine\n");
      assertThat(other(running, "/prom").body()).contains("gatehouse_ready");
      assertThat(other(running, "/").body().lines()).containsExactlyInAnyOrder("/stats", "/prom");
      assertThat(other(running, "/policies").statusCode()).isEqualTo(404);
      assertThat(other(running, "/healthz").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void a_page_under_the_root_is_shown_instead_of_the_list() throws Exception {
    try (var running = Running.with(
        settings -> settings.withHttp(
            List.of(new ServerSettings.Http("prometheus", Running.ANY, Map.of("/", "/mine")))),
        service)) {
      assertThat(other(running, "/").body()).isEqualTo("mine\n");
    }
  }

  private static HttpResponse<String> other(Running running, String path) throws Exception {
    return Running.http(running.server.http().getFirst(), HttpRequest.newBuilder(), path);
  }

  @Test
  void a_taken_address_of_another_listener_is_named_with_the_listener() throws Exception {
    try (var taken = new ServerSocket(0)) {
      var address = new InetSocketAddress("127.0.0.1", taken.getLocalPort());
      assertThatThrownBy(() -> Running.with(
              settings ->
                  settings.withHttp(List.of(new ServerSettings.Http("debug", address, Map.of()))),
              service))
          .isInstanceOfSatisfying(
              BindException.class, e -> assertThat(e.listener()).isEqualTo("debug"))
          .hasMessageContaining("(debug)");
    }
  }

  @Test
  void what_is_posted_is_answered_later_from_another_thread_and_the_connection_is_kept()
      throws Exception {
    for (int i = 0; i < 3; i++) {
      assertThat(post(shared, "body " + i))
          .satisfies(a -> assertThat(a.statusCode()).isEqualTo(429))
          .satisfies(a -> assertThat(a.body()).isEqualTo("{\"body\":1}"));
      assertThat(SHARED.posted).hasValue("body " + i);
    }
  }

  @Test
  void a_posted_body_is_bounded_and_only_post_is_allowed_there() throws Exception {
    assertThat(post(shared, "x".repeat(5_000)).statusCode()).isEqualTo(413);
    var get = shared.admin("/post");
    assertThat(get.statusCode()).isEqualTo(405);
    assertThat(get.headers().firstValue("allow")).hasValue("POST");
    assertThat(shared
            .admin(
                HttpRequest.newBuilder().POST(BodyPublishers.ofString("x".repeat(3_000))), "/mine")
            .statusCode())
        .isEqualTo(405);
  }

  @Test
  void a_mistake_behind_a_posted_page_is_500() throws Exception {
    SHARED.breaks = true;
    assertThat(post(shared, "x").statusCode()).isEqualTo(500);
    SHARED.breaks = false;
  }

  private static HttpResponse<String> post(Running running, String body) throws Exception {
    return running.admin(HttpRequest.newBuilder().POST(BodyPublishers.ofString(body)), "/post");
  }

  @Test
  void healthcheck_is_said_in_the_words_of_the_reference() throws Exception {
    assertThat(shared.admin("/healthcheck"))
        .satisfies(a -> assertThat(a.statusCode()).isEqualTo(200))
        .satisfies(a -> assertThat(a.body()).isEqualTo("OK"));
  }

  @Test
  void a_service_that_wants_callers_to_go_elsewhere_is_not_healthy_in_any_way() throws Exception {
    assertThat(shared.health("shown", "shown")).isEqualTo(ServingStatus.SERVING);
    SHARED.why = "no configuration yet";
    assertThat(shared.admin("/healthcheck").statusCode()).isEqualTo(500);
    assertThat(shared.admin("/readyz").body())
        .isEqualTo("not ready: shown: no configuration yet\n");
    await().until(() -> shared.health("shown", "") == ServingStatus.NOT_SERVING);
    assertThat(shared.call("shown", "").getStatus())
        .as("calls are answered nevertheless")
        .isEqualTo(ServingStatus.SERVING);
    SHARED.why = null;
    assertThat(shared.admin("/healthcheck").statusCode()).isEqualTo(200);
    await().until(() -> shared.health("shown", "shown") == ServingStatus.SERVING);
  }

  private static final class Shown extends Delegating {
    final AtomicReference<String> posted = new AtomicReference<>();
    volatile @Nullable String why;
    volatile boolean breaks;

    Shown() {
      super(Echo.named("shown"));
    }

    @Override
    public Map<String, HttpPage> pages() {
      var pages = new java.util.LinkedHashMap<String, HttpPage>();
      pages.put("/mine", HttpPage.of(() -> AdminPage.text(200, "mine")));
      pages.put("/post", new HttpPage.Posted(4_000, this::answer));
      return pages;
    }

    private void answer(byte[] body, Consumer<AdminPage> answer) {
      if (breaks) {
        throw new IllegalStateException("on purpose");
      }
      posted.set(new String(body, UTF_8));
      Thread.ofVirtual().start(() -> answer.accept(AdminPage.json(429, "{\"body\":1}")));
    }

    @Override
    public String metrics() {
      return "mine_total 5\n";
    }

    @Override
    public @Nullable String unhealthy() {
      return why;
    }
  }
}
