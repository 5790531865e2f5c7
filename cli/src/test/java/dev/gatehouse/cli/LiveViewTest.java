package dev.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

final class LiveViewTest {
  private final StringWriter out = new StringWriter();
  private final LiveView text = new LiveView(terminal(), false);
  private final LiveView json = new LiveView(terminal(), true);

  @AfterEach
  void close() {
    text.close();
    json.close();
  }

  @Test
  void three_decisions_and_envoys_line_are_one_line() {
    text.decided(decision("ext-proc", "id-1", "", Outcome.CHANGED, "changed", "-server", 88_000));
    text.decided(decision("ext-authz", "id-1", "ada", Outcome.ALLOWED, "allowed", "read", 41_000));
    text.decided(
        decision("ratelimit", "id-1", "", Outcome.ALLOWED, "within limit", "4 of 5 left", 12_000));
    text.finished(line("GET", "/orders?token=secret", 200, "-", "id-1", "127.0.0.1:1"));

    await().until(() -> !out.toString().isEmpty());
    assertThat(out.toString().lines())
        .singleElement()
        .satisfies(line -> assertThat(line)
            .matches("\\d\\d:\\d\\d:\\d\\d GET     /orders .*")
            .contains("200 ada")
            .contains(
                "allowed by shop/p: read · allowed by shop/p (within limit): 4 of 5 left · changed by shop/p: -server")
            .endsWith("ext-authz 41 µs ratelimit 12 µs ext-proc 88 µs")
            .doesNotContain("secret"));
  }

  @Test
  void what_no_service_saw_is_a_line_too() {
    text.finished(line("GET", "/nowhere", 404, "-", "id-2", "-"));
    text.finished(line("OPTIONS", "/orders", 200, "-", "id-3", "-"));

    await().until(() -> out.toString().lines().count() == 2);
    assertThat(out.toString())
        .contains("answered by Envoy: no route")
        .contains("answered by Envoy: CORS preflight");
    out.getBuffer().setLength(0);
    text.finished(line("GET", "/public", 200, "-", "id-5", "127.0.0.1:1"));
    await().until(() -> !out.toString().isEmpty());
    assertThat(out.toString()).contains("open: no service was asked");
  }

  @Test
  void json_is_one_object_a_line() {
    json.decided(decision(
        "ext-authz", "id-4", "", Outcome.DENIED, "no-credential", "there is no token", 5_000));
    json.finished(line("GET", "/orders", 401, "UAEX", "id-4", "-"));

    await().until(() -> !out.toString().isEmpty());
    var line = JsonMapper.shared().readTree(out.toString());
    assertThat(line.at("/status").asInt()).isEqualTo(401);
    assertThat(line.at("/decisions/0/outcome").asString()).isEqualTo("DENIED");
    assertThat(line.at("/decisions/0/micros").asInt()).isEqualTo(5);
  }

  private static String line(
      String method, String path, int status, String flags, String id, String upstream) {
    return "[2026-11-22T20:00:00.000Z] \"%s %s HTTP/1.1\" %d %s 0 12 3 - \"-\" \"curl/8 \\\"x\\\"\" \"%s\" \"localhost\" \"%s\""
        .formatted(method, path, status, flags, id, upstream);
  }

  private static Decision decision(
      String service,
      String id,
      String who,
      Outcome outcome,
      String reason,
      String detail,
      long nanos) {
    return new Decision(
        service, id, "GET", "/orders", who, "shop/p", outcome, reason, detail, nanos);
  }

  private Terminal terminal() {
    return new Terminal(new PrintWriter(out, true), new PrintWriter(out, true), Map.of(), false);
  }
}
