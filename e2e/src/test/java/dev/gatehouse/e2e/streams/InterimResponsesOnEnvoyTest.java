package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Responses before the response (1xx), which Envoy does not tell of: a policy that masks cards does so in the one that counts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InterimResponsesOnEnvoyTest {
  private static final String CARD = "4111111111111111";
  private static final String BODY = "{\"card\":\"" + CARD + "\"}";
  private static final String MASKED = "{\"card\":\"" + "*".repeat(CARD.length()) + "\"}";

  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED);

  private final TransformPlan plan = Transforms.plan("""
      request: [{json: [{op: mask, at: /card}]}]
      response: [{json: [{op: mask, at: /card}], headers: {set: {x-seen: "${response.code}"}}}]
      """);
  private TransformGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    gate = new TransformGate(folder);
  }

  @AfterEach
  void nothingWentWrong() {
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isZero();
  }

  @AfterAll
  void close() {
    gate.close();
  }

  @Test
  void what_follows_early_hints_is_transformed() throws IOException {
    for (var hints = 1; hints < 3; hints++) {
      var before = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(hints);
      gate.answers(out -> {
        out.write(before);
        out.answerJson(BODY);
      });
      for (var mode : MODES) {
        try (var client = gate.open(plan, mode, "GET", "connection: close")) {
          assertThat(client.rest())
              .as("%s behind %s hints", mode, hints)
              .contains("HTTP/1.1 200", "x-seen: 200", MASKED)
              .doesNotContain(CARD);
        }
      }
    }
  }

  @Test
  void a_client_that_waits_to_be_told_to_continue_is_told_and_its_body_transformed()
      throws IOException {
    gate.says((request, out) -> out.answerJson(request.text()));
    for (var mode : MODES) {
      try (var client = gate.open(
          plan,
          mode,
          "POST",
          "connection: close",
          "expect: 100-continue",
          "content-length: " + BODY.length())) {
        assertThat(client.answer().status()).as("%s", mode).isEqualTo(100);
        client.out().write(BODY);
        assertThat(client.rest())
            .as("%s", mode)
            .contains("HTTP/1.1 200", "x-seen: 200", MASKED)
            .doesNotContain(CARD);
      }
    }
  }
}
