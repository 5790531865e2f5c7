package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.EnumMap;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random Envoys, legal by their filter's rules, come to random policies: header phases that are sent or skipped, bodies buffered or
 * not, trailers, local replies, resets at any point. {@link EnvoyStream} throws at every answer that a real one would call spurious
 * or would not take, and at every message that stays without an answer.
 */
class StreamPropertyTest {
  private static final int STREAMS = 20_000;

  private static final List<Transforming> POLICIES = List.of(
      Transforming.by("request: [{headers: {remove: [x-a], set: {x-b: b}, add: {x-c: c}}}]"),
      Transforming.by("""
          request:
          - when: request.method == 'POST'
            headers: {set: {x-path: "${request.url_path}"}, rename: {x-a: x-z}}
            path: {regex: ^/v1, replacement: /v2}
            query: {set: {a: b}}
          response: [{headers: {remove: [server]}}]
          """),
      Transforming.by("response: [{json: [{op: mask, at: /card}], headers: {remove: [server]}}]"),
      Transforming.by("""
          limits: {requestBytes: 200, responseBytes: 200}
          localReplies: Transform
          request: [{json: [{op: set, at: /by, value: "${request.method}"}]}]
          response: [{when: response.code == 200, json: [{op: remove, at: /a}]}]
          """),
      Transforming.by("""
          onUnprocessable: Pass
          request: [{json: [{op: remove, at: /a}]}]
          response:
          - {when: response.code >= 500, status: 502, body: {template: '{"card":"1"}'}}
          - {json: [{op: mask, at: /card}]}
          """),
      Transforming.by("""
          request:
          - {when: "'x-a' in request.headers", respond: {status: 403, body: no}}
          - {headers: {set: {x-q: "${request.query['q']}"}}}
          """));

  @Test
  void no_answer_is_ever_spurious_and_every_message_is_answered() {
    var random = new Random(20261122);
    var seen = new EnumMap<Outcome, Integer>(Outcome.class);
    for (var run = 0; run < STREAMS; run++) {
      var transforming = POLICIES.get(random.nextInt(POLICIES.size()));
      var before = transforming.decisions();
      var envoy = new RandomEnvoy(random, transforming);
      try {
        envoy.run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("stream " + run, e);
      }
      var decided = transforming.decisions() - before;
      assertThat(decided).as("decisions about stream %s", run).isEqualTo(envoy.asked() ? 1 : 0);
      if (decided == 1) {
        seen.merge(transforming.decision().outcome(), 1, Integer::sum);
      }
    }
    assertThat(seen.keySet())
        .contains(Outcome.CHANGED, Outcome.UNCHANGED, Outcome.RESPONDED, Outcome.FAILED);
    assertThat(seen.values()).allMatch(count -> count > STREAMS / 100);
  }

  private static final class RandomEnvoy {
    private final Random random;
    private final Transforming transforming;
    private final EnvoyStream envoy;
    private final BodySendMode requestMode;
    private final BodySendMode responseMode;
    private final boolean observed;

    RandomEnvoy(Random random, Transforming transforming) {
      this.random = random;
      this.transforming = transforming;
      this.envoy = transforming.envoyWithoutConfig();
      var misconfigured = random.nextInt(10) == 0;
      requestMode = misconfigured ? other(transforming.requestMode()) : transforming.requestMode();
      responseMode =
          misconfigured ? other(transforming.responseMode()) : transforming.responseMode();
      observed = random.nextInt(20) == 0;
      if (!one(5)) {
        envoy.bodies(requestMode, responseMode);
      }
      if (observed) {
        envoy.observed();
      }
    }

    private static BodySendMode other(BodySendMode mode) {
      return mode == BodySendMode.NONE ? BodySendMode.BUFFERED : BodySendMode.NONE;
    }

    void run() {
      var local = one(10);
      if (!local || one(2)) {
        request();
      }
      if (goesOn()) {
        response(local);
      }
      if (goesOn() && one(5)) {
        transforming.halfClose();
      }
      transforming.cancel();
    }

    private void request() {
      var end = one(2);
      if (!one(8)) {
        send()
            .requestHeaders(
                end,
                ":method",
                one(2) ? "GET" : one(5) ? "HEAD" : "POST",
                ":path",
                one(2) ? "/v1/a?q=1" : one(2) ? "/v1?q=%0d%0a" : "/",
                one(4) ? "x-a" : "x-other",
                "value",
                "accept-encoding",
                one(2) ? "gzip" : "br");
      }
      if (goesOn() && !end && requestMode == BodySendMode.BUFFERED && !one(10)) {
        var trailers = one(5);
        send().requestBody(body(), !trailers);
        if (goesOn() && trailers && one(2)) {
          send().requestTrailers();
        }
      }
    }

    private void response(boolean local) {
      var end = one(4);
      envoy.attribute("response.code_details", local ? "ext_authz_denied" : "via_upstream");
      send()
          .responseHeaders(
              end,
              ":status",
              local
                  ? "403"
                  : List.of("200", "200", "204", "206", "304", "500").get(random.nextInt(6)),
              "server",
              "x",
              "content-type",
              one(3) ? "text/html" : "application/json",
              one(10) ? "content-encoding" : "x-other",
              one(2) ? "gzip" : "br");
      if (goesOn()
          && !end
          && !envoy.client().replaced()
          && responseMode == BodySendMode.BUFFERED
          && !one(10)) {
        var trailers = one(5);
        send().responseBody(body(), !trailers);
        if (goesOn() && trailers && one(2)) {
          send().responseTrailers();
        }
      }
    }

    private EnvoyStream send() {
      return envoy;
    }

    boolean asked() {
      return !observed && transforming.taken() > 0;
    }

    private ByteString body() {
      var bodies = List.of(
          "{\"card\":\"4111\",\"a\":1}",
          "{}",
          "",
          "<html>",
          "[1,2",
          "{\"a\":\"" + "x".repeat(300) + "\"}",
          "7");
      return ByteString.copyFromUtf8(bodies.get(random.nextInt(bodies.size())));
    }

    /** Not after an immediate answer; and a client may go at any time. */
    private boolean goesOn() {
      return envoy.immediate().isEmpty() && !one(30);
    }

    private boolean one(int of) {
      return random.nextInt(of) == 0;
    }
  }
}
