package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.e2e.streams.ProcessingGate.Cache;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Envoy's cache behind ext_proc answers is not called a local reply, which policies leave alone: a policy that masks cards does so. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CachesOnEnvoyTest {
  private static final String CARD = "4111111111111111";
  private static final String BODY = "{\"card\":\"" + CARD + "\"}";
  private static final String MASKED = "{\"card\":\"" + "*".repeat(CARD.length()) + "\"}";

  private static final List<BodySendMode> MODES =
      List.of(BodySendMode.BUFFERED, BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED);

  private final TransformPlan plan = Transforms.plan("response: [{json: [{op: mask, at: /card}]}]");
  private TransformGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    gate = new TransformGate(folder);
    gate.answers(out -> {
      out.answer(
          200,
          "content-type: application/json",
          "cache-control: max-age=3600",
          "date: " + DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)),
          "content-length: " + BODY.length());
      out.write(BODY);
    });
  }

  @AfterAll
  void close() {
    gate.close();
  }

  @ParameterizedTest
  @EnumSource
  void what_comes_out_of_a_cache_is_masked_like_what_went_into_it(Cache cache) throws IOException {
    for (var mode : MODES) {
      assertThat(get(cache, mode)).as("%s, the first in %s", cache, mode).contains(MASKED);
      var hits = new ArrayList<String>();
      await().until(() -> {
        var answer = get(cache, mode);
        hits.add(answer);
        return answer.contains("\r\nage: ");
      });
      assertThat(hits)
          .as("%s, the others in %s", cache, mode)
          .allMatch(
              hit -> hit.startsWith("HTTP/1.1 200") && hit.contains(MASKED) && !hit.contains(CARD));
    }
    assertThat(gate.count("spurious_msgs_received")).isZero();
    assertThat(gate.count("streams_failed")).isZero();
  }

  private String get(Cache cache, BodySendMode mode) throws IOException {
    try (var client = gate.openCaching(cache, plan, mode, "GET", "connection: close")) {
      return client.rest();
    }
  }
}
