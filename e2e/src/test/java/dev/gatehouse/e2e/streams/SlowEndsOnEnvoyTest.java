package dev.gatehouse.e2e.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
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

  /** What lies in Envoy's buffers (1 MiB each) and in those of the sockets, which grow to some megabytes. */
  private static final long BETWEEN = 32L << 20;

  private static final int SMALL_SOCKET = 64 << 10;
  private static final int PATIENCE_MILLIS = 20_000;
  private static final String HEAD = "transfer-encoding: chunked\r\n\r\n";

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
    upstream.says((rest, out) -> {
      out.write(("HTTP/1.1 200 OK\r\n" + HEAD).getBytes(US_ASCII));
      write(out);
    });
    try (var client = connect()) {
      client
          .getOutputStream()
          .write(("GET " + path(BodySendMode.NONE, BodySendMode.FULL_DUPLEX_STREAMED)
                  + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\n\r\n")
              .getBytes(US_ASCII));
      awaitStandstill();
      assertThat(taken.get()).as("bytes that the processor was given").isLessThan(BETWEEN);
      assertThat(read(client.getInputStream())).isEqualTo(ALL);
    }
    assertThat(taken.get()).isEqualTo(ALL);
  }

  @Test
  void an_upstream_that_does_not_read_stops_the_client() throws IOException {
    taken.set(0);
    var reads = new CountDownLatch(1);
    var got = new AtomicLong();
    upstream.says((rest, out) -> {
      await().forever().until(() -> reads.getCount() == 0);
      got.set(read(rest));
      out.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".getBytes(US_ASCII));
    });
    try (var client = connect()) {
      client
          .getOutputStream()
          .write(("POST " + path(BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE)
                  + " HTTP/1.1\r\nhost: shop\r\nx-stream: 1\r\n" + HEAD)
              .getBytes(US_ASCII));
      var writer = Thread.ofVirtual().start(() -> {
        try {
          write(client.getOutputStream());
        } catch (IOException e) {
          throw new AssertionError("the connection did not last", e);
        }
      });
      awaitStandstill();
      assertThat(writer.isAlive()).isTrue();
      assertThat(taken.get()).as("bytes that the processor was given").isLessThan(BETWEEN);
      reads.countDown();
      assertThat((char) client.getInputStream().read()).isEqualTo('H');
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

  private static String path(BodySendMode request, BodySendMode response) {
    return ProcessingGate.path(request, response);
  }

  private Socket connect() throws IOException {
    var socket = new Socket();
    socket.setReceiveBufferSize(SMALL_SOCKET);
    socket.setSendBufferSize(SMALL_SOCKET);
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gate.deaf()));
    return socket;
  }

  private static void write(OutputStream out) throws IOException {
    var piece = new byte[PIECE];
    for (var i = 0; i < PIECES; i++) {
      out.write((Integer.toHexString(PIECE) + "\r\n").getBytes(US_ASCII));
      out.write(piece);
      out.write("\r\n".getBytes(US_ASCII));
    }
    out.write("0\r\n\r\n".getBytes(US_ASCII));
    out.flush();
  }

  /** How many bytes come before the end of the body: all of them are 0, what frames them is not. */
  private static long read(InputStream in) throws IOException {
    var zeros = 0L;
    var end = 0;
    var some = new byte[64 << 10];
    while (true) {
      var count = in.read(some);
      if (count < 0) {
        throw new IOException("the connection ended after " + zeros + " bytes");
      }
      for (var i = 0; i < count; i++) {
        if (some[i] == 0) {
          zeros++;
          end = 0;
        } else {
          // CRLF of the last piece, then the last chunk: \r\n0\r\n\r\n
          end = some[i] == "\r\n0\r\n\r\n".charAt(end) ? end + 1 : some[i] == '\r' ? 1 : 0;
          if (end == 7) {
            return zeros;
          }
        }
      }
    }
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
