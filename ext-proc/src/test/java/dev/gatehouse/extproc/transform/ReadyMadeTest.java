package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problems;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Replies that are made when the policy is compiled, because its steps do the same to every message. */
class ReadyMadeTest {
  private static final String BODY = "{\"card\":\"4111111111111111\"}";

  @ParameterizedTest
  @CsvSource({"200, true", "205, true", "404, true", "502, true", "204, false", "304, false"})
  void a_status_is_ready_made_unless_it_takes_a_body_away(int status, boolean ready) {
    var plan = new TransformCompiler(new Problems())
        .compile(Transforming.policy("response: [{status: %d}]".formatted(status)));
    assertThat(Objects.requireNonNull(plan).response().fixed() != null).isEqualTo(ready);
  }

  @Test
  void what_is_ready_made_is_what_running_the_steps_would_make() {
    var steps = """
        response:
        - {%sheaders: {remove: [server], set: {x-a: a}}, status: 503}
        - {%sstatus: 418}
        """;
    var edits = steps + "- {%sjson: [{op: mask, at: /card, keepLast: 4}]}\n";
    for (var spec : List.of(steps, edits)) {
      for (var mode : List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED)) {
        for (var method : List.of("GET", "HEAD")) {
          for (var status : List.of("200", "204", "304", "500")) {
            assertThat(client(spec.replace("%s", ""), mode, method, status))
                .as("%s %s in %s by %s", method, status, mode, spec)
                .isEqualTo(client(spec.replace("%s", "when: 'true', "), mode, method, status));
          }
        }
      }
    }
  }

  @Test
  void steps_of_the_response_see_what_a_ready_made_reply_made_of_the_request() {
    var envoy = Transforming.by("""
        request: [{headers: {set: {x-a: a}, remove: [x-b]}}]
        response: [{headers: {set: {x-saw: "${request.headers['x-a']} ${'x-b' in request.headers}"}}}]
        """)
        .envoy()
        .requestHeaders(true, ":method", "GET", ":path", "/", "x-b", "b")
        .responseHeaders(true, ":status", "200");
    assertThat(envoy.client().values("x-saw")).containsExactly("a false");
  }

  private static List<Object> client(String spec, BodySendMode mode, String method, String status) {
    var transforming = Transforming.by(spec);
    var hasBody = method.equals("GET") && !status.equals("204") && !status.equals("304");
    var envoy = transforming
        .envoyWithoutConfig()
        .bodies(BodySendMode.NONE, mode)
        .requestHeaders(true, ":method", method, ":path", "/")
        .responseHeaders(
            !hasBody, ":status", status, "server", "x", "content-length", "" + BODY.length());
    if (hasBody && envoy.modeOverride().isEmpty()) {
      envoy.responseBody(BODY);
    }
    assertThat(envoy.client().values(":status")).containsExactly("418");
    assertThat(envoy.client().values("x-a")).containsExactly("a");
    var decision = transforming.decision();
    return List.of(
        envoy.client().values("server"),
        envoy.client().values("content-length"),
        envoy.client().body(),
        decision.outcome(),
        decision.detail());
  }
}
