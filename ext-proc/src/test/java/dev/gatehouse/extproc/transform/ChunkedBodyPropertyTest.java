package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.testkit.EnvoyFilter;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Bodies in random pieces, encodings and modes. */
class ChunkedBodyPropertyTest {
  private static final int BODIES = 3_000;
  private static final byte[] MASKED = "*".getBytes(StandardCharsets.US_ASCII);

  private static final Transforming STEPS = Transforming.by("""
      response:
      - json:
        - {op: mask, at: /records/*/card, keepLast: 4}
        - {op: remove, at: /records/*/secret}
      - json:
        - {op: rename, at: /records, to: rows}
        - {op: set, at: /by, value: gateway}
      - json: [{op: mask, at: /rows/*/name}]
      """);

  /** What the first step removes is never there, but might be at any member. */
  private static final Transforming PASSING = Transforming.by("""
      onUnprocessable: Pass
      response:
      - json: [{op: remove, at: /records/*/nowhere}, {op: mask, at: /records/*/card, keepLast: 4}]
      - json: [{op: remove, at: /nowhere}, {op: mask, at: /records/*/name}]
      """);

  private enum Coding {
    PLAIN(null),
    GZIP("gzip"),
    MEMBERS("x-gzip"),
    ZLIB("deflate"),
    BARE("deflate");

    final String name;

    Coding(String name) {
      this.name = name;
    }

    byte[] encode(byte[] body, SplittableRandom random) {
      return switch (this) {
        case PLAIN -> body;
        case GZIP -> Codings.gzip(body, random.nextInt(32));
        case MEMBERS -> {
          var cut = random.nextInt(body.length + 1);
          yield Codings.both(
              Codings.gzip(Arrays.copyOf(body, cut)),
              Codings.gzip(Arrays.copyOfRange(body, cut, body.length), 2));
        }
        case ZLIB -> Codings.deflate(body, false);
        case BARE -> Codings.deflate(body, true);
      };
    }
  }

  @Test
  void pieces_make_what_the_whole_makes_in_every_encoding() {
    for (var number = 0; number < BODIES; number++) {
      var random = new SplittableRandom(20261201L + number);
      var body = records(random);
      var coding = Coding.values()[random.nextInt(Coding.values().length)];
      var mode = random.nextBoolean() ? BodySendMode.STREAMED : BodySendMode.FULL_DUPLEX_STREAMED;
      var whole = STEPS
          .envoy()
          .requestHeaders(true, ":method", "GET", ":path", "/")
          .responseHeaders(false, ":status", "200")
          .responseBody(ByteString.copyFrom(body), true)
          .client()
          .body();
      var run = new Run(STEPS, mode, coding, random);
      run.send(coding.encode(body, random));
      assertThat(run.passed()).as("%s %s %s", number, mode, coding).isEqualTo(whole);
      assertThat(run.envoy.response().message().values("content-encoding")).isEmpty();
      assertThat(run.envoy.response().ended()).isTrue();
    }
  }

  @Test
  void what_turns_out_to_be_unreadable_passes_without_a_byte_lost_or_said_twice() {
    var partly = 0;
    for (var number = 0; number < BODIES; number++) {
      var random = new SplittableRandom(1201L + number);
      var body = damaged(records(random), random);
      var coding = Coding.values()[random.nextInt(Coding.values().length)];
      var mode = random.nextBoolean() ? BodySendMode.STREAMED : BodySendMode.FULL_DUPLEX_STREAMED;
      var run = new Run(PASSING, mode, coding, random);
      run.send(coding.encode(body, random));
      if (!run.envoy.response().message().values("content-encoding").isEmpty()) {
        continue; // Nothing had gone on, so it went on as it had come.
      }
      if (run.envoy.immediate() != null) {
        // What is held of a text that ends early cannot be added to trailers.
        assertThat(mode).isEqualTo(BodySendMode.STREAMED);
        assertThat(run.trailers).isTrue();
        continue;
      }
      var passed = run.envoy.response().passed().toByteArray();
      assertThat(passed).as("%s %s %s", number, mode, coding).hasSameSizeAs(body);
      for (var i = 0; i < body.length; i++) {
        if (passed[i] != body[i]) {
          partly++;
          assertThat(passed[i]).as("%s %s %s at %s", number, mode, coding, i).isEqualTo(MASKED[0]);
          assertThat((char) body[i]).matches(Character::isDigit);
        }
      }
      assertThat(PASSING.decision().reason()).isEqualTo("unprocessable-passed");
    }
    assertThat(partly).as("digits masked before the damage").isGreaterThan(BODIES);
  }

  private static final class Run {
    final DirectPeer peer;
    final EnvoyFilter envoy;
    private final SplittableRandom random;
    private boolean trailers;

    Run(Transforming transforming, BodySendMode mode, Coding coding, SplittableRandom random) {
      this.random = random;
      peer = transforming.open();
      var modes = ProcessingMode.newBuilder()
          .setResponseBodyMode(mode)
          .setResponseTrailerMode(HeaderSendMode.SEND);
      envoy = new EnvoyFilter(
          new EnvoyFilter.Settings(modes.build(), false, false, true, false, 100), peer::send);
      envoy.requestHeaders(true, ":method", "GET", ":path", "/");
      take();
      if (coding.name == null) {
        envoy.responseHeaders(false, ":status", "200");
      } else {
        envoy.responseHeaders(false, ":status", "200", "content-encoding", coding.name);
      }
      take();
    }

    void send(byte[] body) {
      var pieces = pieces(body);
      trailers = random.nextInt(4) == 0;
      for (var i = 0; i < pieces.size(); i++) {
        envoy.responseData(pieces.get(i), !trailers && i == pieces.size() - 1);
        take();
      }
      if (trailers) {
        envoy.responseTrailers();
        take();
      }
    }

    String passed() {
      return envoy.response().passed().toStringUtf8();
    }

    private void take() {
      for (var answer = peer.receive(); answer != null; answer = peer.receive()) {
        envoy.take(answer);
      }
    }

    private List<ByteString> pieces(byte[] body) {
      var all = new ArrayList<ByteString>();
      var most = random.nextInt(3) == 0 ? 5 : random.nextInt(1, 300);
      for (var at = 0; at < body.length; ) {
        var size = Math.min(random.nextInt(most + 1), body.length - at);
        all.add(ByteString.copyFrom(body, at, size));
        at += size;
      }
      return all.isEmpty() ? List.of(ByteString.EMPTY) : all;
    }
  }

  private static byte[] records(SplittableRandom random) {
    var text = new StringBuilder(" {\"x\":0 , \"records\" :[");
    for (var i = random.nextInt(12); i > 0; i--) {
      text.append("{\"id\":").append(random.nextInt(1000));
      if (random.nextBoolean()) {
        text.append(" ,\n \"card\":\"").append(random.nextInt(2_000_000_000)).append('"');
      }
      if (random.nextInt(3) == 0) {
        text.append(",\"secret\":{\"a\":[1,\"}\"]}");
      }
      if (random.nextBoolean()) {
        text.append(",\"\\u006eame\": \"").append(random.nextInt(99_999)).append('"');
      }
      text.append(i > 1 ? "}, " : "}");
    }
    return text.append("]}").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] damaged(byte[] body, SplittableRandom random) {
    var at = random.nextInt(1, body.length);
    if (random.nextInt(3) == 0) {
      return Arrays.copyOf(body, at);
    }
    var out = new ByteArrayOutputStream();
    out.write(body, 0, at);
    out.write(0xff); // Nowhere in UTF-8.
    out.write(body, at, body.length - at);
    return out.toByteArray();
  }
}
