package dev.gatehouse.extproc.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.FailureLog;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.testkit.GrpcPeer;
import dev.gatehouse.testkit.LoopGuard;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Callbacks that block, for a while or for ever, behind a real server. */
class BlockingProcessorTest {
  private static final Patience SHORT = new Patience(Duration.ofMillis(20), Duration.ofMillis(150));

  private final ArrayDeque<AutoCloseable> open = new ArrayDeque<>();
  private final VirtualWorkers workers = new VirtualWorkers("slow", 100);

  @AfterEach
  void close() throws Exception {
    for (var some : open) {
      some.close();
    }
  }

  @Test
  void messages_wait_for_the_callback_before_and_no_event_loop_waits_for_either() throws Exception {
    var seen = new SynchronousQueue<String>();
    var server = serve(Patience.DEFAULT, stream -> new HttpProcessor() {
      @Override
      public Reply requestHeaders(HeadersMessage headers) {
        return Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS);
      }

      @Override
      public Reply requestChunk(ByteString piece, boolean last) throws InterruptedException {
        seen.put(piece.toStringUtf8());
        return new Reply.NewBody(HeaderChanges.NONE, piece.concat(piece));
      }
    });
    var peer = peer(server);
    try (var guard = LoopGuard.watch(server.loops())) {
      Messages.exchange(peer, Messages.first(BodySendMode.STREAMED));
      for (var i = 0; i < 20; i++) {
        peer.send(Messages.requestBody("piece " + i, i == 19));
      }
      for (var i = 0; i < 20; i++) {
        assertThat(seen.poll(5, TimeUnit.SECONDS)).isEqualTo("piece " + i);
        assertThat(Messages.answer(peer)
                .getRequestBody()
                .getResponse()
                .getBodyMutation()
                .getBody()
                .toStringUtf8())
            .isEqualTo("piece " + i + "piece " + i);
      }
      assertThat(guard.violations()).isEmpty();
    }
  }

  @Test
  void a_callback_that_never_returns_is_interrupted_at_the_deadline_and_the_request_answered_500()
      throws Exception {
    var interrupted = new CountDownLatch(1);
    var peer = peer(serve(SHORT, stream -> waiting(new CountDownLatch(1), interrupted)));
    peer.send(Messages.first(BodySendMode.NONE));
    assertThat(Messages.answer(peer).hasOverrideMessageTimeout())
        .as("Envoy is asked for more time")
        .isTrue();
    assertThat(Messages.answer(peer).getImmediateResponse().getStatus().getCodeValue())
        .isEqualTo(500);
    assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
    await().untilAsserted(() -> assertThat(workers.running()).isZero());
  }

  @Test
  void a_callback_whose_request_is_gone_is_interrupted_and_then_told_the_end() throws Exception {
    var begun = new CountDownLatch(1);
    var interrupted = new CountDownLatch(1);
    var peer = peer(serve(Patience.DEFAULT, stream -> waiting(begun, interrupted)));
    peer.send(Messages.first(BodySendMode.NONE));
    assertThat(begun.await(5, TimeUnit.SECONDS)).isTrue();
    peer.close();
    assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(ends.poll(5, TimeUnit.SECONDS))
        .as("whether the callback had returned")
        .isTrue();
  }

  @Test
  void after_a_deadline_that_is_let_pass_the_late_processor_is_asked_no_more() throws Exception {
    var release = new CountDownLatch(1);
    var asked = new LinkedBlockingQueue<Direction>();
    var peer = peer(serve(SHORT, stream -> new HttpProcessor() {
      @Override
      public Reply headers(HeadersMessage headers) {
        asked.add(headers.direction());
        uninterruptibly(release);
        return Reply.UNCHANGED;
      }

      @Override
      public Reply failed(Direction direction, Failure failure) {
        return Reply.UNCHANGED;
      }
    }));
    peer.send(Messages.first(BodySendMode.NONE));
    assertThat(Messages.answer(peer).hasOverrideMessageTimeout()).isTrue();
    assertThat(Messages.answer(peer).hasRequestHeaders()).isTrue();
    peer.send(Messages.responseHeaders(":status", "200"));
    assertThat(Messages.answer(peer).hasResponseHeaders()).isTrue();
    assertThat(asked).containsExactly(Direction.REQUEST);
    assertThat(workers.running()).as("what hears no interrupt").isEqualTo(1);
    release.countDown();
    await().untilAsserted(() -> assertThat(workers.running()).isZero());
  }

  @Test
  void what_a_callback_throws_checked_or_not_is_the_failure_answer() throws Exception {
    for (var thrown : new Throwable[] {
      new IOException("no database"), new IllegalStateException(), new AssertionError()
    }) {
      var peer = peer(serve(Patience.DEFAULT, stream -> new HttpProcessor() {
        @Override
        public Reply requestHeaders(HeadersMessage headers) throws Exception {
          if (thrown instanceof Exception exception) {
            throw exception;
          }
          throw (Error) thrown;
        }
      }));
      var answer = Messages.exchange(peer, Messages.first(BodySendMode.NONE));
      assertThat(answer.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
      assertThat(answer.getImmediateResponse().getBody().toStringUtf8())
          .as("nothing of the exception")
          .isEqualTo("{\"title\":\"Internal Server Error\",\"status\":500}");
    }
  }

  @Test
  void a_processor_that_blocks_its_loop_is_told_so_in_the_log() {
    logs(
        new ProcessorService("unwrapped", stream -> new HttpProcessor() {
          @Override
          public Reply requestHeaders(HeadersMessage headers) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
            return Reply.UNCHANGED;
          }
        }),
        "unwrapped held its event loop for");
  }

  @Test
  void a_processor_that_fails_at_its_end_is_in_the_log_too() {
    logs(
        new ProcessorService(
            "ending",
            stream -> new BlockingProcessor(new HttpProcessor() {
              @Override
              public void ended(Ending ending) {
                throw new NoClassDefFoundError();
              }
            })),
        "a blocking processor failed at its end (BROKEN): NoClassDefFoundError");
  }

  private void logs(ProcessorService service, String said) {
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    var log = (Logger) LoggerFactory.getLogger(FailureLog.class);
    log.addAppender(lines);
    try {
      var peer = peer(serve(service));
      Messages.exchange(peer, Messages.first(BodySendMode.NONE));
      peer.close();
      await()
          .untilAsserted(() -> assertThat(List.copyOf(lines.list))
              .extracting(ILoggingEvent::getFormattedMessage)
              .anyMatch(line -> line.startsWith(said)));
    } finally {
      log.detachAppender(lines);
    }
  }

  @Test
  void more_at_once_than_allowed_is_refused_and_not_kept_waiting() throws Exception {
    var begun = new CountDownLatch(1);
    var one = new VirtualWorkers("one", 1);
    var service = new ProcessorService(
        "slow",
        stream -> new BlockingProcessor(waiting(begun, new CountDownLatch(1))),
        one,
        Patience.DEFAULT);
    var server = serve(service);
    await().untilAsserted(() -> assertThat(one.running()).as("warm-up").isZero());
    peer(server).send(Messages.first(BodySendMode.NONE));
    assertThat(begun.await(5, TimeUnit.SECONDS)).isTrue();
    var second = Messages.exchange(peer(server), Messages.first(BodySendMode.NONE));
    assertThat(second.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
  }

  private final LinkedBlockingQueue<Boolean> ends = new LinkedBlockingQueue<>();

  /** Waits for ever; at the end it says whether it was interrupted before. */
  private Processor waiting(CountDownLatch begun, CountDownLatch interrupted) {
    return new HttpProcessor() {
      @Override
      public Reply requestHeaders(HeadersMessage headers) throws InterruptedException {
        begun.countDown();
        try {
          new CountDownLatch(1).await();
        } finally {
          interrupted.countDown();
        }
        return Reply.UNCHANGED;
      }

      @Override
      public void ended(Ending ending) {
        ends.add(interrupted.getCount() == 0);
      }
    };
  }

  private static void uninterruptibly(CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (InterruptedException e) {
        // That is the test.
      }
    }
  }

  private ProcessorServer serve(Patience patience, ProcessorFactory factory) {
    return serve(new ProcessorService(
        "slow", stream -> new BlockingProcessor(factory.open(stream)), workers, patience));
  }

  private ProcessorServer serve(ProcessorService service) {
    var server = ProcessorServer.of(service)
        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .drain(Duration.ZERO)
        .start();
    open.push(server);
    return server;
  }

  private GrpcPeer peer(ProcessorServer server) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(server.address()).usePlaintext().build();
    open.push(channel::shutdownNow);
    var peer = new GrpcPeer(channel, Map.of());
    open.push(peer);
    return peer;
  }
}
