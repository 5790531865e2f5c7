package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.e2e.raw.RawClient;
import dev.gatehouse.e2e.raw.RawUpstream;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A large body in FULL_DUPLEX_STREAMED, through a real Envoy, to an end that does not read: the other end has to wait, nobody gathers it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SlowEndsOnEnvoyTest {
  private static final int PIECE = 60_000;
  private static final int PIECES = 1_700;
  private static final long ALL = (long) PIECE * PIECES;
  private static final ByteString ZEROS = ByteString.copyFrom(new byte[PIECE]);

  /** What lies in Envoy's buffers (1 MiB each) and in those of the sockets, which grow to some megabytes. */
  private static final long BETWEEN = 32L << 20;

  private final AtomicLong taken = new AtomicLong();
  private RawUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new RawUpstream();
    gate = new ProcessingGate(
        folder, upstream.port(), "10s", Patience.DEFAULT, number -> new Counting());
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void a_client_that_does_not_read_stops_the_upstream() throws IOException {
    taken.set(0);
    upstream.says((request, out) -> {
      out.answer(200, Outgoing.CHUNKED);
      write(out);
    });
    try (var client = RawClient.small(gate.deaf())) {
      ProcessingGate.request(
          client, "GET", BodySendMode.NONE, BodySendMode.FULL_DUPLEX_STREAMED, 1);
      awaitStandstill();
      assertThat(taken.get()).as("bytes that the processor was given").isLessThan(BETWEEN);
      assertThat(client.answer().skip()).isEqualTo(ALL);
    }
    assertThat(taken.get()).isEqualTo(ALL);
  }

  @Test
  void an_upstream_that_does_not_read_stops_the_client() throws IOException {
    taken.set(0);
    var reads = new CountDownLatch(1);
    var got = new AtomicLong();
    upstream.says((request, out) -> {
      await().forever().until(() -> reads.getCount() == 0);
      got.set(request.skip());
      out.answer(204);
    });
    try (var client = RawClient.small(gate.deaf())) {
      ProcessingGate.request(
          client,
          "POST",
          BodySendMode.FULL_DUPLEX_STREAMED,
          BodySendMode.NONE,
          1,
          Outgoing.CHUNKED);
      var writer = client.writing(SlowEndsOnEnvoyTest::write);
      awaitStandstill();
      assertThat(writer.isAlive()).isTrue();
      assertThat(taken.get()).as("bytes that the processor was given").isLessThan(BETWEEN);
      reads.countDown();
      assertThat(client.answer().status()).isEqualTo(204);
    }
    assertThat(got.get()).isEqualTo(ALL);
    assertThat(taken.get()).isEqualTo(ALL);
  }

  /** The processor has got something, and gets no more. */
  private void awaitStandstill() {
    var before = new AtomicLong(-1);
    await()
        .pollInterval(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(20))
        .until(() -> taken.get() > 0 && taken.get() == before.getAndSet(taken.get()));
  }

  private static void write(Outgoing out) throws IOException {
    for (var i = 0; i < PIECES; i++) {
      out.chunk(ZEROS);
    }
    out.end();
  }

  private final class Counting implements Processor {
    @Override
    public Reply headers(HeadersMessage headers) {
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS);
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply chunk(Direction direction, ByteString piece, boolean last) {
      taken.addAndGet(piece.size());
      return Reply.UNCHANGED;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return new Reply.Fail(failure.why());
    }
  }
}
