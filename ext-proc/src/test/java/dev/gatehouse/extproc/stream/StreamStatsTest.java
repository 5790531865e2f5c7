package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class StreamStatsTest {
  private static final int BUDGET = 150;

  private final StreamStats stats = new StreamStats("shop", BUDGET);
  private final PrometheusRegistry registry = new PrometheusRegistry();

  StreamStatsTest() {
    StreamStats.metrics(List.of(stats)).forEach(registry::register);
  }

  @Test
  void messages_bytes_and_streams_are_counted() {
    var peer = peer(Runnable::run);
    peer.send(requestHeaders());
    peer.send(requestBody("12345", false));
    peer.send(requestBody("678", true));
    assertThat(value("streams", "result", "ok")).isZero();
    peer.cancel();

    assertThat(value("messages", "message", "request_headers")).isEqualTo(1);
    assertThat(value("messages", "message", "request_body")).isEqualTo(2);
    assertThat(value("messages", "message", "response_headers")).isZero();
    assertThat(value("body_bytes", "direction", "request")).isEqualTo(8);
    assertThat(value("streams", "result", "ok")).isEqualTo(1);
    assertThat(value("streams", "result", "failed")).isZero();
    assertThat(value("processing_seconds")).isPositive();
  }

  @Test
  void what_is_gathered_is_given_back_when_the_body_is_whole_and_when_the_client_goes_away() {
    var whole = peer(Runnable::run);
    whole.send(requestHeaders());
    whole.send(requestBody("12345", false));
    assertThat(value("gathered_bytes")).isEqualTo(5);
    var gone = peer(Runnable::run);
    gone.send(requestHeaders());
    gone.send(requestBody("123", false));
    assertThat(value("gathered_bytes")).isEqualTo(8);

    whole.send(requestBody("6", true));
    assertThat(value("gathered_bytes")).isEqualTo(3);
    gone.cancel();
    assertThat(value("gathered_bytes")).isZero();
    whole.cancel();
    assertThat(value("gathered_bytes")).isZero();
  }

  @Test
  void a_body_over_the_bound_gives_back_what_was_gathered_and_is_no_failed_stream() {
    var peer = peer(Runnable::run);
    peer.send(requestHeaders());
    peer.send(requestBody("x".repeat(Whole.GATHERS), false));
    peer.send(requestBody("x", false));
    peer.cancel();

    assertThat(value("gathered_bytes")).isZero();
    assertThat(value("failures", "cause", "body_too_large")).isEqualTo(1);
    assertThat(value("streams", "result", "ok")).isEqualTo(1);
  }

  @Test
  void what_all_streams_would_gather_beyond_the_budget_is_refused_until_some_is_given_back() {
    var first = peer(Runnable::run);
    first.send(requestHeaders());
    first.send(requestBody("x".repeat(Whole.GATHERS), false));
    var second = peer(Runnable::run);
    second.send(requestHeaders());
    second.send(requestBody("x".repeat(BUDGET - Whole.GATHERS), false));
    assertThat(second.receive()).isNull();
    second.send(requestBody("x", false));
    assertThat(second.answer().getImmediateResponse().getStatus().getCodeValue())
        .isEqualTo(500);
    assertThat(value("failures", "cause", "busy")).isEqualTo(1);
    assertThat(value("gathered_bytes")).as("of the first").isEqualTo(Whole.GATHERS);

    var inOnePiece = peer(Runnable::run);
    inOnePiece.send(requestHeaders());
    inOnePiece.send(requestBody("x".repeat(Whole.GATHERS), true));
    assertThat(inOnePiece.receive().hasRequestHeaders()).isTrue();

    first.send(requestBody("", true));
    assertThat(first.receive().hasRequestHeaders()).isTrue();
    var third = peer(Runnable::run);
    third.send(requestHeaders());
    third.send(requestBody("x".repeat(Whole.GATHERS), false));
    third.send(requestBody("", true));
    assertThat(third.receive().hasRequestHeaders()).isTrue();
    assertThat(value("gathered_bytes")).isZero();
  }

  @Test
  void large_bodies_leave_the_last_eighth_of_the_budget_to_small_ones() {
    var stats = new StreamStats("shop", 1 << 20);
    var slow = peer(Runnable::run, stats, 1 << 20);
    slow.send(requestHeaders());
    slow.send(requestBody("x".repeat(7 << 17), false));
    assertThat(slow.receive()).isNull();

    var large = peer(Runnable::run, stats, 1 << 20);
    large.send(requestHeaders());
    large.send(requestBody("x".repeat(1 << 16), false));
    assertThat(large.receive()).as("it is still small").isNull();
    large.send(requestBody("x", false));
    assertThat(large.answer().getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);

    for (var small :
        List.of(peer(Runnable::run, stats, 1 << 20), peer(Runnable::run, stats, 1 << 20))) {
      small.send(requestHeaders());
      small.send(requestBody("x".repeat(1 << 16), false));
      assertThat(small.receive()).isNull();
    }
    var more = peer(Runnable::run, stats, 1 << 20);
    more.send(requestHeaders());
    more.send(requestBody("x", false));
    assertThat(more.answer().getImmediateResponse().getStatus().getCodeValue())
        .as("the budget is a bound for small ones, too")
        .isEqualTo(500);
  }

  @Test
  void what_is_gathered_is_held_while_it_is_worked_on_and_until_its_answer_has_gone() {
    var kept = new ArrayDeque<Runnable>();
    var peer = peer(kept::add);
    peer.send(requestHeaders());
    peer.send(requestBody("lat", false));
    peer.send(requestBody("er", true));
    assertThat(value("gathered_bytes")).isEqualTo(5);
    peer.ready(false);
    kept.remove().run();
    assertThat(value("gathered_bytes")).isEqualTo(5);
    peer.ready(true);
    assertThat(value("gathered_bytes")).isZero();

    var gone = peer(kept::add);
    gone.send(requestHeaders());
    gone.send(requestBody("lat", false));
    gone.send(requestBody("er", true));
    gone.cancel();
    assertThat(value("gathered_bytes")).isZero();
  }

  @Test
  void work_is_pending_until_it_is_done() {
    var kept = new ArrayDeque<Runnable>();
    var peer = peer(kept::add);
    peer.send(requestHeaders());
    peer.send(requestBody("later", true));
    assertThat(value("work_pending")).isEqualTo(1);
    kept.remove().run();
    assertThat(value("work_pending")).isZero();

    var gone = peer(kept::add);
    gone.send(requestHeaders());
    gone.send(requestBody("later", true));
    gone.cancel();
    assertThat(value("work_pending")).isZero();
  }

  @Test
  void a_processor_that_throws_is_a_failure_and_a_failed_stream() {
    var peer = peer(Runnable::run);
    peer.send(requestHeaders());
    peer.send(requestBody("throw", true));
    peer.cancel();

    assertThat(value("failures", "cause", "broken")).isEqualTo(1);
    assertThat(value("streams", "result", "failed")).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void a_bound_that_throws_is_a_failure_and_what_was_gathered_is_given_back(Throwable thrown) {
    var asked = new AtomicInteger();
    var peer = peer(
        new Throwing() {
          @Override
          public long gathers(Direction direction) {
            return asked.getAndIncrement() == 0 ? 100 : sneaky(thrown);
          }
        },
        Runnable::run);
    peer.send(requestHeaders());
    peer.send(requestBody("12345", false));
    assertThat(value("gathered_bytes")).isEqualTo(5);
    peer.send(requestBody("6", false));

    assertAnsweredOnce(peer);
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void a_processor_that_throws_when_asked_what_its_failure_means_lets_nothing_pass(
      Throwable thrown) {
    var late = new ArrayDeque<Runnable>();
    for (var workers : List.<Executor>of(Runnable::run, late::add)) {
      var failing = new Throwing() {
        @Override
        public Reply body(Direction direction, ByteString body) {
          return new Reply.Later(() -> sneaky(thrown));
        }

        @Override
        public Reply failed(Direction direction, Failure failure) {
          return sneaky(thrown);
        }
      };
      var peer = peer(failing, workers);
      peer.send(requestHeaders());
      peer.send(requestBody("12345", true));
      if (!late.isEmpty()) {
        peer.after(Patience.DEFAULT.deadline());
      }
      assertThat(peer.answer().getImmediateResponse().getStatus().getCodeValue())
          .isEqualTo(500);
      assertThat(value("work_pending")).isZero();
      assertThat(value("gathered_bytes")).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void an_end_that_throws_is_a_failure(Throwable thrown) {
    var peer = peer(
        new Throwing() {
          @Override
          public void ended(Ending ending) {
            sneaky(thrown);
          }
        },
        Runnable::run);
    peer.send(requestHeaders());
    peer.send(requestBody("12345", false));
    peer.cancel();

    assertThat(value("failures", "cause", "broken")).isEqualTo(1);
    assertThat(value("gathered_bytes")).isZero();
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void who_cannot_say_whether_it_observes_has_failed_and_is_asked_on(Throwable thrown) {
    var seen = new ArrayList<String>();
    var peer = peer(
        new Throwing() {
          @Override
          public boolean observes() {
            return sneaky(thrown);
          }

          @Override
          public Reply headers(HeadersMessage headers) {
            seen.add("headers");
            return Reply.UNCHANGED;
          }

          @Override
          public void ended(Ending ending) {
            seen.add("its end, failed " + ending.failed());
          }
        },
        Runnable::run);
    assertThat(peer.exchange(
            requestHeaders().toBuilder().setObservabilityMode(true).build()))
        .isNull();
    peer.cancel();

    assertThat(seen).containsExactly("headers", "its end, failed true");
    assertThat(value("failures", "cause", "broken")).isEqualTo(1);
    assertThat(value("streams", "result", "failed")).isEqualTo(1);
  }

  @Test
  void what_nobody_should_catch_ends_the_stream_on_the_loop_too() {
    var kept = new ArrayDeque<Runnable>();
    var peer = peer(
        new Throwing() {
          @Override
          public Reply body(Direction direction, ByteString body) {
            return new Reply.Later(() -> () -> sneaky(new OutOfMemoryError("as the test wants")));
          }
        },
        kept::add);
    peer.send(requestHeaders());
    peer.send(requestBody("12345", false));
    peer.send(requestBody("6", true));
    var work = kept.remove();
    assertThatThrownBy(work::run).isInstanceOf(OutOfMemoryError.class);

    assertThat(String.valueOf(peer.closed())).contains("INTERNAL", "OutOfMemoryError");
    assertThat(value("work_pending")).isZero();
    assertThat(value("gathered_bytes")).isZero();
    assertThat(value("streams", "result", "failed")).isEqualTo(1);
  }

  @Test
  void workers_that_throw_are_a_failure_and_no_work_is_pending() {
    var peer = peer(work -> {
      throw new IllegalStateException("as the test wants it");
    });
    peer.send(requestHeaders());
    peer.send(requestBody("later", true));

    assertThat(value("work_pending")).isZero();
    assertAnsweredOnce(peer);
  }

  private void assertAnsweredOnce(DirectPeer peer) {
    assertThat(peer.answer().getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
    assertThat(String.valueOf(peer.closed())).contains("OK");
    assertThat(value("gathered_bytes")).isZero();
    assertThat(value("failures", "cause", "broken")).isEqualTo(1);
    assertThat(value("streams", "result", "failed")).isEqualTo(1);
  }

  /** Checked ones, too: not every team's language knows of them. */
  static List<Throwable> thrown() {
    return List.of(
        new IllegalStateException("as the test wants it"),
        new IOException("as the test wants it"),
        new StackOverflowError("as the test wants it"),
        new NoClassDefFoundError("as the test wants it"),
        new AssertionError("as the test wants it"));
  }

  @SuppressWarnings("unchecked")
  private static <R, E extends Throwable> R sneaky(Throwable thrown) throws E {
    throw (E) thrown;
  }

  /** Wants the whole body; a test says where it throws. */
  private abstract static class Throwing implements Processor {
    @Override
    public Reply headers(HeadersMessage headers) {
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return Reply.Respond.FAILED;
    }
  }

  @Test
  void streams_of_the_warming_up_are_in_no_metric() {
    stats.warmingUp();
    var before = peer(Runnable::run);
    before.send(requestHeaders());
    stats.ready();
    before.send(requestBody("1", true));
    before.cancel();
    assertThat(value("messages", "message", "request_headers")).isZero();
    assertThat(value("streams", "result", "ok")).isZero();

    var after = peer(Runnable::run);
    after.send(requestHeaders());
    assertThat(value("messages", "message", "request_headers")).isEqualTo(1);
  }

  @Test
  void all_of_them_are_in_the_operators_list() throws IOException {
    var listed = Files.readString(Path.of("../docs/operations.md"));
    for (var metric : registry.scrape()) {
      var name = metric.getMetadata().getPrometheusName();
      assertThat(listed).containsPattern("`" + name + "(_total)?`");
    }
  }

  private DirectPeer peer(Executor workers) {
    return peer(workers, stats, Whole.GATHERS);
  }

  private DirectPeer peer(Processor processor, Executor workers) {
    return new DirectPeer(first -> new Opened.With(processor), workers, stats);
  }

  private static DirectPeer peer(Executor workers, StreamStats stats, long gathers) {
    return new DirectPeer(first -> new Opened.With(new Whole(gathers)), workers, stats);
  }

  private double value(String name, String... labels) {
    var wanted = Labels.of("processor", "shop").merge(Labels.of(labels));
    return registry.scrape().stream()
        .filter(metric -> metric.getMetadata().getName().equals("gatehouse_ext_proc_" + name))
        .flatMap(metric -> metric.getDataPoints().stream())
        .filter(point -> point.getLabels().equals(wanted))
        .mapToDouble(point -> switch (point) {
          case CounterDataPointSnapshot counter -> counter.getValue();
          case GaugeDataPointSnapshot gauge -> gauge.getValue();
          default -> throw new AssertionError("a metric of another kind: " + point);
        })
        .findFirst()
        .orElseThrow(() -> new AssertionError("no metric " + name + wanted));
  }

  private static ProcessingRequest requestHeaders() {
    return ProcessingRequest.newBuilder()
        .setProtocolConfig(ProtocolConfiguration.newBuilder()
            .setRequestBodyMode(BodySendMode.FULL_DUPLEX_STREAMED))
        .setRequestHeaders(HttpHeaders.getDefaultInstance())
        .build();
  }

  private static ProcessingRequest requestBody(String text, boolean last) {
    return ProcessingRequest.newBuilder()
        .setRequestBody(
            HttpBody.newBuilder().setBody(ByteString.copyFromUtf8(text)).setEndOfStream(last))
        .build();
  }

  /** Wants the whole body; does with it what it says. */
  private record Whole(long gathers) implements Processor {
    static final int GATHERS = 100;

    @Override
    public Reply headers(HeadersMessage headers) {
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return switch (body.toStringUtf8()) {
        case "throw" -> throw new IllegalStateException("as the test wants it");
        case "later" -> new Reply.Later(() -> () -> Reply.UNCHANGED);
        default -> Reply.UNCHANGED;
      };
    }

    @Override
    public long gathers(Direction direction) {
      return gathers;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return Reply.Respond.FAILED;
    }
  }
}
