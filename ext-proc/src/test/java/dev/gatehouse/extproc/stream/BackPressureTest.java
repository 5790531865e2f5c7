package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.kit.ProcessorServer;
import dev.gatehouse.extproc.kit.ProcessorService;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A peer that writes as fast as it may and reads nothing: over a real connection, against the server as it runs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BackPressureTest {
  private static final int CHUNK = 60_000;
  private static final int CHUNKS = 500;

  /** What the peer's HTTP/2 takes without reading it. */
  private static final int WINDOW = 256 << 10;

  /** That, what gRPC takes beyond (32 KiB), and a few messages. */
  private static final long TAKEN_AT_MOST = WINDOW + 4 * CHUNK;

  private static final Duration STALLED = Duration.ofMillis(500);

  private final AtomicLong taken = new AtomicLong();
  private ProcessorServer server;
  private ManagedChannel channel;

  @BeforeAll
  void start() {
    var service = new ProcessorService("counting", stream -> new Counting());
    server = ProcessorServer.of(service)
        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .drain(Duration.ZERO)
        .start();
    channel = NettyChannelBuilder.forAddress(server.address())
        .usePlaintext()
        .flowControlWindow(WINDOW)
        .build();
  }

  @AfterAll
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void a_slow_reader_stops_a_fast_writer_and_gets_every_byte_when_it_reads()
      throws InterruptedException {
    var peer = new Peer();
    peer.send(ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.getDefaultInstance())
        .setProtocolConfig(ProtocolConfiguration.newBuilder()
            .setRequestBodyMode(BodySendMode.FULL_DUPLEX_STREAMED))
        .build());
    var sent = 0;
    while (sent < CHUNKS && peer.mayWrite(STALLED)) {
      peer.send(chunk(sent++));
    }
    assertThat(sent).as("chunks written before the stream stalled").isLessThan(CHUNKS);
    assertThat(taken.get()).as("bytes taken from the connection").isLessThan(TAKEN_AT_MOST);

    peer.read();
    while (sent < CHUNKS && peer.mayWrite(Duration.ofSeconds(10))) {
      peer.send(chunk(sent++));
    }
    assertThat(peer.ended.tryAcquire(10, TimeUnit.SECONDS))
        .as("the last chunk came back")
        .isTrue();
    assertThat(peer.wrong).isNull();
    assertThat(peer.back).isEqualTo((long) CHUNK * CHUNKS);
    peer.call.cancel("done", null);
  }

  /** Its bytes are its number, so that a chunk out of its place is seen. */
  private static ProcessingRequest chunk(int number) {
    var bytes = new byte[CHUNK];
    Arrays.fill(bytes, (byte) number);
    return ProcessingRequest.newBuilder()
        .setRequestBody(HttpBody.newBuilder()
            .setBody(ByteString.copyFrom(bytes))
            .setEndOfStream(number == CHUNKS - 1))
        .build();
  }

  private final class Peer extends ClientCall.Listener<ProcessingResponse> {
    private final ClientCall<ProcessingRequest, ProcessingResponse> call =
        channel.newCall(ExternalProcessorGrpc.getProcessMethod(), CallOptions.DEFAULT);
    private final Semaphore ready = new Semaphore(0);
    private final Semaphore ended = new Semaphore(0);
    private volatile boolean reads;
    private volatile long back;
    private volatile @Nullable String wrong;

    Peer() {
      call.start(this, new Metadata());
    }

    void send(ProcessingRequest message) {
      call.sendMessage(message);
    }

    boolean mayWrite(Duration patience) throws InterruptedException {
      while (!call.isReady()) {
        if (!ready.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
          return false;
        }
      }
      return true;
    }

    void read() {
      reads = true;
      call.request(1);
    }

    @Override
    public void onReady() {
      ready.release();
    }

    @Override
    public void onMessage(ProcessingResponse message) {
      var piece = message.getRequestBody().getResponse().getBodyMutation().getStreamedResponse();
      for (var at = 0; at < piece.getBody().size(); at++) {
        if (piece.getBody().byteAt(at) != (byte) ((back + at) / CHUNK)) {
          wrong = "byte " + (back + at);
        }
      }
      back += piece.getBody().size();
      if (piece.getEndOfStream()) {
        ended.release();
      }
      if (reads) {
        call.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk() && status.getCode() != Status.Code.CANCELLED) {
        wrong = status.toString();
        ended.release();
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
