package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.kit.BlockingProcessor;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the model of Envoy shows of a million streams, on the real one for a few hundred: every pair of body modes, random chunks,
 * trailers, early answers, overrides that are heeded or not. All follows from the seed, which a failure names; another is given by
 * {@code -Dgatehouse.seed=NUMBER}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AllModesOnEnvoyTest {
  private static final int ROUNDS = Integer.getInteger("gatehouse.rounds", 8);
  private static final int AT_ONCE = 8;
  private static final long SEED = Long.getLong("gatehouse.seed", 20261125);

  private record Try(
      int port,
      ChunkedClient.Request request,
      StreamingUpstream.Answer answer,
      Turning processor) {}

  private final Map<Integer, Try> tries = new ConcurrentHashMap<>();
  private StreamingUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new StreamingUpstream(number -> tries.get(number).answer);
    gate = new ProcessingGate(folder, upstream.port(), "10s", Patience.DEFAULT, this::processor);
  }

  /** One in three off the event loop: the stream is the same. */
  private Processor processor(int number) {
    var processor = tries.get(number).processor;
    return number % 3 == 0 ? new BlockingProcessor(processor) : processor;
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void nothing_is_spurious_nothing_fails_and_every_byte_is_what_the_processor_made()
      throws Exception {
    var all = new ArrayList<Callable<Integer>>();
    var random = new SplittableRandom(SEED);
    for (var round = 0; round < ROUNDS; round++) {
      for (var request : ProcessingGate.MODES) {
        for (var response : ProcessingGate.MODES) {
          var number = all.size();
          tries.put(number, make(random.split(), number, request, response));
          all.add(() -> exchange(number));
        }
      }
    }
    var wrong = new ArrayList<Throwable>();
    try (var clients = Executors.newFixedThreadPool(AT_ONCE)) {
      for (var done : clients.invokeAll(all)) {
        if (done.state() == Future.State.FAILED) {
          wrong.add(done.exceptionNow());
        }
      }
    }
    assertThat(wrong).as("streams that went wrong, of seed %s", SEED).isEmpty();
    await().until(() -> gate.count("streams_closed") > 0);
    assertThat(gate.count("spurious_msgs_received")).as("spurious").isZero();
    assertThat(gate.count("streams_failed")).as("failed").isZero();
    assertThat(gate.count("message_timeouts")).as("timed out").isZero();
    assertThat(gate.count("rejected_header_mutations")).as("rejected").isZero();
    assertThat(gate.count("streams_started")).isGreaterThanOrEqualTo(all.size());
  }

  private Try make(
      SplittableRandom random, int number, BodySendMode request, BodySendMode response) {
    var partial =
        request == BodySendMode.BUFFERED_PARTIAL || response == BodySendMode.BUFFERED_PARTIAL;
    var most = partial ? 4 * ProcessingGate.PARTIAL_BYTES : 150_000;
    var observed = random.nextInt(10) == 0;
    var heeded = random.nextInt(3) > 0;
    var length = random.nextInt(3) == 0;
    // With a length an early answer would be over, and Envoy would let go of the request.
    var early = random.nextInt(4) == 0 && request != BodySendMode.BUFFERED_PARTIAL;
    return new Try(
        observed ? gate.observing() : heeded ? gate.heeding() : gate.deaf(),
        new ChunkedClient.Request(
            ProcessingGate.path(request, response),
            number,
            chunks(random, most),
            random.nextInt(3) == 0 && !length,
            length),
        new StreamingUpstream.Answer(
            chunks(random, most), random.nextInt(3) == 0, early, random.nextInt(3) == 0 && !early),
        new Turning(random.split(), request, response, heeded && !observed, observed));
  }

  private static List<ByteString> chunks(SplittableRandom random, int most) {
    var chunks = new ArrayList<ByteString>();
    var left = random.nextInt(4) == 0 ? random.nextInt(200) : random.nextInt(most);
    while (left > 0) {
      var bytes =
          new byte[Math.min(left, 1 + random.nextInt(random.nextInt(5) == 0 ? 100 : 40_000))];
      for (var i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) random.nextInt(128);
      }
      chunks.add(ByteString.copyFrom(bytes));
      left -= bytes.length;
    }
    return chunks;
  }

  private int exchange(int number) {
    var what = tries.get(number);
    try {
      var answer = ChunkedClient.send(what.port, what.request);
      assertThat(answer.status()).isEqualTo(200);
      await().until(() -> upstream.seen(number) != null);
      var seen = upstream.seen(number);
      what.processor.request().check(what.request.chunks(), seen.body());
      what.processor.response().check(what.answer.chunks(), answer.body());
      if (seen.length() != null) {
        assertThat(seen.length()).isEqualTo(Integer.toString(seen.body().size()));
      }
      if (!what.processor.request().replaces() && what.request.trailers()) {
        assertThat(seen.trailer()).isEqualTo("from-client");
      }
      if (!what.processor.response().replaces()
          && what.answer.trailers()
          && !what.answer.length()) {
        assertThat(answer.trailers()).containsEntry("x-trailer", "from-upstream");
      }
      return number;
    } catch (IOException | RuntimeException | AssertionError e) {
      throw new AssertionError(
          "stream "
              + number
              + " "
              + what.request.path()
              + " chunks "
              + what.request.chunks().stream().map(ByteString::size).toList()
              + (what.request.trailers() ? "+trailers" : "")
              + (what.request.length() ? " with a length" : "")
              + ", answered "
              + what.answer.chunks().stream().map(ByteString::size).toList()
              + (what.answer.trailers() ? "+trailers" : "")
              + (what.answer.early() ? " early" : "")
              + (what.answer.length() ? " with a length" : "")
              + " by "
              + what.processor
              + "\n"
              + e,
          e);
    }
  }
}
