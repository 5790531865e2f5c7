package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Work that takes its time, or never ends. */
class DeadlineTest {
  private static final Duration ASK = Patience.DEFAULT.askAfter();
  private static final Duration DEADLINE = Patience.DEFAULT.deadline();

  private final ArrayDeque<Runnable> jobs = new ArrayDeque<>();
  private final List<Processor.Cause> failures = new ArrayList<>();

  @Test
  void envoy_is_asked_for_more_time_once_before_its_own_is_over() {
    var peer = peer(new Reply.Later(() -> () -> Reply.UNCHANGED));
    peer.send(headers(BodySendMode.BUFFERED));
    peer.after(ASK.minusMillis(1));
    assertThat(peer.receive()).isNull();
    peer.after(Duration.ofMillis(1));
    var asked = peer.answer();
    assertThat(asked.getOverrideMessageTimeout().getSeconds()).isEqualTo(4);
    assertThat(asked.getOverrideMessageTimeout().getNanos()).isEqualTo(500_000_000);
    assertThat(asked.getResponseCase().getNumber())
        .as("the rest would be dropped")
        .isZero();
    peer.after(DEADLINE.minus(ASK).minusMillis(1));
    assertThat(peer.receive()).isNull();
    jobs.remove().run();
    assertThat(peer.answer().hasRequestHeaders()).isTrue();
    assertThat(peer.timers()).isZero();
  }

  @Test
  void quick_work_asks_for_nothing_and_leaves_no_timer() {
    var peer = peer(new Reply.Later(() -> () -> Reply.UNCHANGED));
    peer.send(headers(BodySendMode.BUFFERED));
    jobs.remove().run();
    peer.after(DEADLINE);
    assertThat(peer.answer().hasRequestHeaders()).isTrue();
    assertThat(peer.timers()).isZero();
  }

  @Test
  void full_duplex_has_no_timer_so_nothing_is_asked() {
    var peer = peer(new Reply.Later(() -> () -> Reply.UNCHANGED));
    peer.send(headers(BodySendMode.FULL_DUPLEX_STREAMED));
    peer.after(ASK);
    assertThat(peer.receive()).isNull();
  }

  @Test
  void work_that_never_ends_is_given_up_and_the_processor_says_what_that_means() {
    var peer = peer(new Reply.Later(() -> () -> Reply.UNCHANGED));
    peer.send(headers(BodySendMode.BUFFERED));
    peer.after(DEADLINE);
    assertThat(answerBehindTheRequestForTime(peer)
            .getImmediateResponse()
            .getStatus()
            .getCodeValue())
        .isEqualTo(500);
    assertThat(failures).containsExactly(Processor.Cause.LATE);
    assertThat(peer.closed()).isNotNull();
    jobs.remove().run();
    assertThat(peer.receive()).as("what comes too late").isNull();
  }

  @Test
  void work_that_is_given_up_is_interrupted_so_that_its_worker_is_free() throws Exception {
    var begun = new CountDownLatch(1);
    var interrupted = new CountDownLatch(1);
    try (var worker = Executors.newSingleThreadExecutor()) {
      var processor = new Slow(new Reply.Later(() -> {
        begun.countDown();
        try {
          new CountDownLatch(1).await();
        } catch (InterruptedException e) {
          interrupted.countDown();
        }
        return () -> Reply.UNCHANGED;
      }));
      var peer = new DirectPeer(first -> new Opened.With(processor), worker);
      peer.send(headers(BodySendMode.BUFFERED));
      assertThat(begun.await(5, TimeUnit.SECONDS)).isTrue();
      peer.cancel();
      assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
      assertThat(worker.submit(Thread::interrupted).get(5, TimeUnit.SECONDS))
          .as("an interrupt that reaches the next work")
          .isFalse();
    }
  }

  @Test
  void work_that_was_not_begun_is_not_begun_any_more() {
    var ran = new ArrayList<String>();
    var peer = peer(new Reply.Later(() -> {
      ran.add("ran");
      return () -> Reply.UNCHANGED;
    }));
    peer.send(headers(BodySendMode.BUFFERED));
    peer.cancel();
    jobs.remove().run();
    assertThat(ran).isEmpty();
    assertThat(peer.timers()).isZero();
  }

  @Test
  void what_a_processor_remembers_is_touched_on_the_loop_only_and_not_after_the_deadline() {
    var said = new ArrayList<String>();
    var peer = peer(new Reply.Later(() -> () -> {
      said.add("said");
      return Reply.UNCHANGED;
    }));
    peer.send(headers(BodySendMode.BUFFERED));
    peer.after(DEADLINE);
    jobs.remove().run();
    assertThat(said).isEmpty();
  }

  private static ProcessingResponse answerBehindTheRequestForTime(DirectPeer peer) {
    assertThat(peer.receive()).matches(ProcessingResponse::hasOverrideMessageTimeout);
    return peer.answer();
  }

  private DirectPeer peer(Reply reply) {
    return new DirectPeer(first -> new Opened.With(new Slow(reply)), jobs::add);
  }

  private static ProcessingRequest headers(BodySendMode mode) {
    return ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.getDefaultInstance())
        .setProtocolConfig(ProtocolConfiguration.newBuilder().setRequestBodyMode(mode))
        .build();
  }

  private final class Slow implements Processor {
    private final Reply reply;

    Slow(Reply reply) {
      this.reply = reply;
    }

    @Override
    public Reply headers(HeadersMessage headers) {
      return reply;
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      failures.add(failure.cause());
      return new Reply.Respond(500, HeaderChanges.NONE, ByteString.EMPTY, "late");
    }
  }
}
