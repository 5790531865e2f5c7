package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.RandomTraffic;
import dev.gatehouse.extproc.RandomTraffic.Script;
import dev.gatehouse.extproc.stream.FailureLog;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.testkit.EnvoyFilter;
import dev.gatehouse.testkit.EnvoyStream;
import dev.gatehouse.testkit.HttpMessage;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Random Envoys, legal by their filter's rules, come to TransformPolicies: all body modes, headers and trailers that are sent or
 * skipped, local replies, resets at any point. {@link EnvoyFilter} throws at every answer that a real one would call spurious, reject or
 * drop. Whatever the mode and the pieces, what goes through is what an orderly BUFFERED Envoy gets of the same policy, whose steps are all
 * run and nothing of it ready-made, or less.
 *
 * <p>All follows from a stream's number; {@code -Dgatehouse.transform.stream=NUMBER} runs one again, {@code -Pmodel} ten times as many.
 */
class StreamPropertyTest {
  private static final int STREAMS = Integer.getInteger("gatehouse.streams", 100_000) / 5;
  private static final Integer ONLY = Integer.getInteger("gatehouse.transform.stream");

  private static final Transforming PASSING = Transforming.by("""
      onUnprocessable: Pass
      request: [{json: [{op: remove, at: /a}]}]
      response:
      - {when: response.code >= 500, status: 502, body: {template: '{"card":"1"}'}}
      - {json: [{op: mask, at: /card}]}
      """);

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
      PASSING,
      Transforming.by("""
          request:
          - {when: "'x-a' in request.headers", respond: {status: 403, body: no}}
          - {headers: {set: {x-q: "${request.query['q']}"}}}
          """),
      Transforming.by("""
          request:
          - json: [{op: rename, at: /a, to: b}, {op: mask, at: /**/card, keepLast: 2}]
          - json: [{op: set, at: /meta/by, value: [gateway]}]
          response:
          - json: [{op: mask, at: /list/*/card}, {op: remove, at: /list/*/a}]
          """),
      Transforming.by("""
          request:
          - headers: {add: {x-c: early}}
          - {onError: Skip, when: request.body.a == 1, headers: {set: {x-b: "${request.body.card}"}, add: {x-c: late}}}
          - {when: has(request.body.list), json: [{op: remove, at: /list}]}
          - headers: {add: {x-c: last}}
          response:
          - when: has(response.body.list)
            body: {template: '{"n":${size(response.body.list)}}'}
          """),
      Transforming.by("""
          request:
          - {when: has(request.body.list), respond: {status: 422, body: no}}
          - body: {merge: {by: gateway, a: null}}
          response:
          - {onError: Skip, body: {replace: [{regex: '[0-9]{4,}', replacement: '#'}]}}
          - json: [{op: move, at: /card, to: /was}, {op: default, at: /n, value: 0}]
          """),
      Transforming.by("""
          request:
          - metadata: {method: "${request.method}"}
          - form: {set: {a: b}, remove: [card]}
          response:
          - {metadata: {code: "${response.code}"}, json: [{op: mask, at: /card}]}
          """),
      Transforming.by("""
          request: [{headers: {set: {x-b: b}, remove: [x-a]}}]
          response:
          - headers: {set: {x-saw: "${request.headers['x-b']} ${'x-a' in request.headers} ${request.path}"}}
          """),
      Transforming.by("""
          request: [{headers: {rename: {x-a: x-z}}, json: [{op: remove, at: /a}]}]
          response:
          - {when: "'x-z' in request.headers", headers: {set: {x-saw: "${request.headers['x-z']}"}}}
          - {when: "'x-a' in request.headers", status: 418}
          - json: [{op: mask, at: /card}]
          """),
      Transforming.by("""
          request:
          - {path: {regex: ^/v1, replacement: /v2}, query: {set: {a: b}, remove: [q]}}
          response:
          - when: request.url_path.startsWith('/v2')
            headers: {set: {x-saw: "${request.query['a']} ${'q' in request.query} ${request.path}"}}
          """));

  private static final List<String> BODIES = List.of(
      "{\"card\":\"4111\",\"a\":1}",
      "{}",
      "",
      "<html>",
      "[1,2",
      " { \"a\" : [ {} , \"card\" ] ,\n\"card\":\"4111111111111111\"} ",
      "{\"list\":[{\"card\":\"1\",\"a\":2},{\"a\":null,\"card\":\"\\u0034\"}],\"n\":1.0e-7}",
      "{\"a\":\"" + "x".repeat(300) + "\"}",
      "7",
      "{\"card\":\"4111\"} trailing",
      "card=4111&a=1&b=%20c",
      "{\"a\":1,\"list\":[]}");

  private static final List<String> COMPARED = List.of(
      ":path",
      ":status",
      "accept-encoding",
      "server",
      "x-a",
      "x-b",
      "x-c",
      "x-path",
      "x-q",
      "x-saw",
      "x-z");

  /** Every mode that does not do would be a line. */
  @BeforeAll
  static void quiet() {
    ((Logger) LoggerFactory.getLogger(FailureLog.class)).setLevel(Level.OFF);
  }

  @AfterAll
  static void loud() {
    ((Logger) LoggerFactory.getLogger(FailureLog.class)).setLevel(null);
  }

  @Test
  void whatever_the_mode_no_answer_is_spurious_and_what_goes_through_is_what_the_policy_says() {
    var seen = new EnumMap<Outcome, Integer>(Outcome.class);
    var compared = 0;
    var first = ONLY == null ? 0 : ONLY;
    for (var number = first; number < (ONLY == null ? STREAMS : ONLY + 1); number++) {
      var random = new SplittableRandom(20261201L + number);
      var transforming = POLICIES.get(random.nextInt(POLICIES.size()));
      var stream = new Stream(random, transforming);
      try {
        compared += stream.run();
        if (transforming.decisions() > stream.before) {
          seen.merge(transforming.decision().outcome(), 1, Integer::sum);
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("stream " + number + ": " + stream, e);
      }
    }
    if (ONLY == null) {
      assertThat(seen.keySet())
          .contains(Outcome.CHANGED, Outcome.UNCHANGED, Outcome.RESPONDED, Outcome.FAILED);
      assertThat(seen.values()).as("%s", seen).allMatch(count -> count > STREAMS / 100);
      assertThat(compared).as("bodies compared").isGreaterThan(STREAMS / 4);
    }
  }

  /** One stream, and the orderly one that it is compared with. */
  private static final class Stream {
    private final SplittableRandom random;
    private final Transforming transforming;
    private final EnvoyFilter.Settings settings;
    private final boolean local;
    private final Message request;
    private final Message response;
    private final EnvoyStream orderly;
    private final int before;

    Stream(SplittableRandom random, Transforming transforming) {
      this.random = random;
      this.transforming = transforming;
      settings = settings();
      local = one(12);
      request = request();
      response = response();
      orderly = orderly();
      transforming.cancel();
      before = transforming.decisions();
    }

    @Override
    public String toString() {
      return "policy " + POLICIES.indexOf(transforming) + " " + settings
          + (local ? " local reply" : "") + "\nrequest " + request + "\nresponse "
          + response + "\norderly " + orderly.immediate() + " upstream: "
          + orderly.upstream().body() + " client: " + orderly.client().body();
    }

    /** Half of them as wire would have it: a mode that brings bodies, and all headers. */
    private EnvoyFilter.Settings settings() {
      var any = RandomTraffic.settings(random);
      if (one(2)) {
        return any;
      }
      var mode = one(2) ? BodySendMode.BUFFERED : BodySendMode.FULL_DUPLEX_STREAMED;
      return new EnvoyFilter.Settings(
          ProcessingMode.newBuilder()
              .setRequestBodyMode(mode)
              .setResponseBodyMode(mode)
              .setRequestTrailerMode(HeaderSendMode.SEND)
              .setResponseTrailerMode(HeaderSendMode.SEND)
              .build(),
          false,
          false,
          true,
          false,
          any.bufferLimit());
    }

    private Message request() {
      var headers = new ArrayList<>(List.of(
          ":method",
          one(3) ? "GET" : one(8) ? "HEAD" : "POST",
          ":path",
          one(2) ? "/v1/a?q=1" : one(2) ? "/v1?q=%0d%0a" : "/",
          one(4) ? "x-a" : "x-other",
          "value",
          "accept-encoding",
          one(2) ? "gzip" : "br"));
      return message(headers);
    }

    private Message response() {
      var headers = new ArrayList<>(List.of(
          ":status",
          local ? "403" : List.of("200", "200", "204", "206", "304", "500").get(random.nextInt(6)),
          "server",
          "x",
          "content-type",
          one(3) ? "text/html" : "application/json",
          one(10) ? "content-encoding" : "x-other",
          one(2) ? "gzip" : "br"));
      return message(headers);
    }

    private Message message(List<String> headers) {
      var body = ByteString.copyFromUtf8(one(3) ? "" : BODIES.get(random.nextInt(BODIES.size())));
      var trailers = one(5);
      if (one(3) && !trailers) {
        headers.add("content-length");
        headers.add(Integer.toString(body.size()));
      }
      var pieces = RandomTraffic.pieces(random, body, one(3) ? 3 : 400);
      return new Message(headers.toArray(String[]::new), body, pieces, trailers);
    }

    private EnvoyStream orderly() {
      var envoy = transforming
          .envoyOfRunSteps()
          .bodies(BodySendMode.BUFFERED, BodySendMode.BUFFERED)
          .attribute("response.code_details", local ? "ext_authz_denied" : "via_upstream");
      envoy.requestHeaders(request.isBare(), request.headers);
      if (!request.body.isEmpty() && envoy.immediate().isEmpty()) {
        envoy.requestBody(request.body, !request.trailers);
      }
      if (request.trailers && envoy.immediate().isEmpty()) {
        envoy.requestTrailers();
      }
      if (envoy.immediate().isPresent()) {
        return envoy;
      }
      envoy.responseHeaders(response.isBare(), response.headers);
      if (!response.body.isEmpty() && envoy.immediate().isEmpty()) {
        envoy.responseBody(response.body, !response.trailers);
      }
      if (response.trailers && envoy.immediate().isEmpty()) {
        envoy.responseTrailers();
      }
      return envoy;
    }

    /** @return how many bodies were compared */
    int run() {
      var traffic = new RandomTraffic(
          random.split(),
          settings,
          local,
          1 << 20,
          transforming.processor(),
          new Script(request.pieces, request.trailers, request.headers),
          new Script(response.pieces, response.trailers, response.headers));
      var envoy = traffic.envoy();
      var goes = true;
      while (goes && envoy.immediate() == null) {
        if (one(300)) {
          break;
        }
        goes = traffic.goesOn();
      }
      if (one(5)) {
        traffic.peer().halfClose();
      }
      traffic.cancel();
      assertThat(traffic.peer().gathered())
          .as("bytes that are gathered for nobody")
          .isZero();
      var decided = transforming.decisions() - before;
      assertThat(decided)
          .as("decisions")
          .isEqualTo(traffic.peer().taken() > 0 && !settings.observability() ? 1 : 0);
      if (settings.observability() || !settings.sendsConfig()) {
        return 0;
      }
      if (envoy.immediate() != null) {
        answered(envoy.immediate().getStatus().getCodeValue());
      }
      return compare(true, envoy, envoy.request()) + compare(false, envoy, envoy.response());
    }

    /**
     * The client is told what it is told in order, unless the mode cannot bring what the policy needs, or time runs out. Where the response may overtake
     * the request's body, either may be refused first; and of what may pass unread some may have gone on decoded before it turns out to be unreadable.
     */
    private void answered(int status) {
      var mode = settings.mode();
      var brings = brings(mode.getRequestBodyMode())
          && brings(mode.getResponseBodyMode())
          && mode.getRequestHeaderMode() != HeaderSendMode.SKIP
          && mode.getResponseHeaderMode() != HeaderSendMode.SKIP;
      var late = transforming.decision().reason().equals("late");
      if (!brings || local || onlyTrailers() || transforming == PASSING || late) {
        return;
      }
      var expected = orderly.immediate().map(answer -> answer.getStatus().getCodeValue());
      assertThat(expected).as("answered with %s", status).isPresent();
      if (mode.getRequestBodyMode() == BodySendMode.BUFFERED) {
        assertThat(expected).hasValue(status);
      }
    }

    /** Then it depends on the mode whether the headers can still be changed, and whether a body can be given. */
    private boolean onlyTrailers() {
      return request.isOnlyTrailers() || response.isOnlyTrailers();
    }

    private static boolean brings(BodySendMode mode) {
      return mode == BodySendMode.BUFFERED || mode == BodySendMode.FULL_DUPLEX_STREAMED;
    }

    private int compare(boolean isRequest, EnvoyFilter envoy, EnvoyFilter.Side side) {
      var mode = settings.mode();
      var skipped = (isRequest ? mode.getRequestHeaderMode() : mode.getResponseHeaderMode())
              == HeaderSendMode.SKIP
          || mode.getRequestHeaderMode() == HeaderSendMode.SKIP;
      var overtook = !isRequest && !orderly.reachedUpstream();
      if (skipped || local || overtook || onlyTrailers() || !side.headersGone()) {
        return 0;
      }
      var expected = expected(isRequest);
      if (expected == null && endsUnheard(isRequest)) {
        return 0;
      }
      if (expected == null) {
        assertThat(side.ended() && envoy.immediate() == null)
            .as("what is refused in order went through: %s", side.message())
            .isFalse();
        return 0;
      }
      var all = expected.bodyBytes();
      var given = isRequest ? request.body : response.body;
      if (transforming == PASSING && all.equals(given)) {
        return 0; // It could not be read, perhaps, and of what comes in pieces the first may be
        // edited.
      }
      var passed = side.passed();
      assertThat(all.startsWith(passed))
          .as("passed \"%s\" of \"%s\"", passed.toStringUtf8(), all.toStringUtf8())
          .isTrue();
      if (side.ended() && envoy.immediate() == null) {
        assertThat(passed.toStringUtf8()).isEqualTo(all.toStringUtf8());
        for (var name : COMPARED) {
          assertThat(side.message().values(name)).as(name).isEqualTo(expected.values(name));
        }
      }
      return 1;
    }

    /** Under STREAMED nothing tells that a body is over behind which come trailers that are not sent. */
    private boolean endsUnheard(boolean isRequest) {
      var mode = settings.mode();
      return isRequest
          ? request.trailers
              && mode.getRequestBodyMode() == BodySendMode.STREAMED
              && mode.getRequestTrailerMode() != HeaderSendMode.SEND
          : response.trailers
              && mode.getResponseBodyMode() == BodySendMode.STREAMED
              && mode.getResponseTrailerMode() != HeaderSendMode.SEND;
    }

    /** Null where the orderly one was refused. */
    private HttpMessage expected(boolean isRequest) {
      if (isRequest) {
        return orderly.reachedUpstream() ? orderly.upstream() : null;
      }
      return orderly.immediate().isEmpty() ? orderly.client() : null;
    }

    private boolean one(int of) {
      return random.nextInt(of) == 0;
    }
  }

  private record Message(
      String[] headers, ByteString body, List<ByteString> pieces, boolean trailers) {
    boolean isOnlyTrailers() {
      return body.isEmpty() && trailers;
    }

    boolean isBare() {
      return body.isEmpty() && !trailers;
    }

    @Override
    public String toString() {
      return String.join(" ", headers)
          + (trailers ? " +trailers " : " ")
          + pieces.stream().map(ByteString::toStringUtf8).toList();
    }
  }
}
