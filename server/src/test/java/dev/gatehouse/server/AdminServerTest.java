package dev.gatehouse.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AdminServerTest {
  private static Running running;

  @BeforeAll
  static void start() {
    running = Running.of(Echo.named("a"));
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  @Test
  void the_root_lists_the_pages_and_each_of_them_is_there() throws Exception {
    var pages = running.admin("/").body().lines().toList();
    assertThat(pages)
        .containsExactly("/healthz", "/readyz", "/healthcheck", "/metrics", "/policies");
    for (var page : pages) {
      assertThat(running.admin(page).statusCode()).as(page).isEqualTo(200);
    }
  }

  @Test
  void policies_are_json_and_metrics_are_prometheus_text_and_neither_is_cached() throws Exception {
    var policies = running.admin("/policies?pretty");
    assertThat(policies.body()).isEqualTo("{\"policies\":[]}");
    assertThat(policies.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(policies.headers().firstValue("cache-control")).hasValue("no-store");

    var metrics = running.admin("/metrics");
    assertThat(metrics.headers().firstValue("content-type").orElseThrow())
        .startsWith("text/plain; version=0.0.4");
    assertThat(metrics.body()).contains("gatehouse_ready 1.0");
  }

  @Test
  void head_is_answered_as_get_without_the_body() throws Exception {
    var get = running.admin("/readyz");
    var head = running.admin(HttpRequest.newBuilder().HEAD(), "/readyz");
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(head.headers().firstValue("content-length"))
        .hasValue(String.valueOf(get.body().length()));
  }

  @Test
  void a_page_that_is_not_there_is_404_whatever_the_method() throws Exception {
    assertThat(running.admin("/metrics/").statusCode()).isEqualTo(404);
    assertThat(running.admin("/../metrics").statusCode()).isEqualTo(404);
    assertThat(running.admin(HttpRequest.newBuilder().DELETE(), "/nothing").statusCode())
        .isEqualTo(404);
  }

  @Test
  void other_methods_are_405_and_told_which_are_allowed() throws Exception {
    var refused =
        running.admin(HttpRequest.newBuilder().POST(BodyPublishers.ofString("x")), "/healthz");
    assertThat(refused.statusCode()).isEqualTo(405);
    assertThat(refused.headers().firstValue("allow")).hasValue("GET, HEAD");
  }

  @Test
  void what_is_too_large_is_refused_before_it_is_held() throws Exception {
    assertThat(running
            .admin(
                HttpRequest.newBuilder().POST(BodyPublishers.ofByteArray(new byte[2000])),
                "/healthz")
            .statusCode())
        .isEqualTo(413);
    assertThat(running.admin("/" + "x".repeat(5000)).statusCode()).isEqualTo(414);
    assertThat(running
            .admin(HttpRequest.newBuilder().header("large", "x".repeat(20_000)), "/healthz")
            .statusCode())
        .isEqualTo(431);
  }

  @Test
  void what_is_no_http_is_answered_400_and_hung_up_on() throws IOException {
    try (var socket = connect(running.server.admin())) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\n: no name\r\n\r\n".getBytes(US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
          .startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void connections_are_kept_but_only_so_many() throws IOException {
    List<Socket> open = new ArrayList<>();
    try (var admin = AdminServer.start(
        Running.ANY, Map.of("/healthz", HttpPage.of(() -> AdminPage.text(200, "alive"))))) {
      for (int i = 0; i < AdminServer.MAX_CONNECTIONS; i++) {
        open.add(connect(admin.address()));
        assertThat(alive(open.getLast())).isTrue();
        assertThat(alive(open.getLast()))
            .as("a second request on the same connection")
            .isTrue();
      }
      try (var tooMany = connect(admin.address())) {
        assertThat(alive(tooMany)).isFalse();
      }
      open.removeFirst().close();
      await().until(() -> {
        try (var again = connect(admin.address())) {
          return alive(again);
        }
      });
    } finally {
      for (var socket : open) {
        socket.close();
      }
    }
  }

  @Test
  void a_loop_that_hangs_makes_the_process_not_alive() throws Exception {
    var release = new CountDownLatch(1);
    var hanging = running.loops.all().getFirst().submit(() -> {
      release.await();
      return null;
    });
    try {
      var alive = running.admin("/healthz");
      assertThat(alive.statusCode()).isEqualTo(503);
      assertThat(alive.body()).contains("an event loop has not answered");
    } finally {
      release.countDown();
    }
    hanging.syncUninterruptibly();
    assertThat(running.admin("/healthz").statusCode()).isEqualTo(200);
  }

  private static Socket connect(InetSocketAddress address) throws IOException {
    var socket = new Socket(address.getAddress(), address.getPort());
    socket.setSoTimeout(10_000);
    return socket;
  }

  /** Sends a request and reads the first bytes of the answer. */
  private static boolean alive(Socket socket) {
    try {
      socket
          .getOutputStream()
          .write("HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n".getBytes(US_ASCII));
      var answer = new StringBuilder();
      while (!answer.toString().endsWith("\r\n\r\n")) {
        int next = socket.getInputStream().read();
        if (next < 0) {
          return false;
        }
        answer.append((char) next);
      }
      return answer.toString().startsWith("HTTP/1.1 200 ");
    } catch (IOException e) {
      return false;
    }
  }
}
