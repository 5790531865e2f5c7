package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.ModeOverride;
import dev.gatehouse.extproc.stream.ModeOverride.Sending;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Processors that misbehave and clients that go away, with a real Envoy between them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultsOnEnvoyTest {
  private static final ByteString PIECE = ByteString.copyFrom(new byte[30_000]);

  /** Envoy would give up after three seconds, unless it is asked for more; the work is given up after four. */
  private static final Patience PATIENCE =
      new Patience(Duration.ofMillis(100), Duration.ofSeconds(4));

  private final Map<Integer, Processor> processors = new ConcurrentHashMap<>();
  private final AtomicInteger numbers = new AtomicInteger();

  /** The stream whose response is more than Envoy keeps while its headers wait, so that they go before all of the body is there. */
  private volatile int large = -1;

  private StreamingUpstream upstream;
  private ProcessingGate gate;

  @BeforeAll
  void open(@TempDir Path folder) throws IOException {
    upstream = new StreamingUpstream(number -> new StreamingUpstream.Answer(
        number == large ? Collections.nCopies(100, PIECE) : List.of(PIECE, PIECE, PIECE),
        false,
        false,
        false));
    gate = new ProcessingGate(
        folder,
        upstream.port(),
        "3s",
        PATIENCE,
        number -> processors.getOrDefault(number, Processor.PASS));
    await()
        .until(() ->
            send(Processor.PASS, BodySendMode.STREAMED, BodySendMode.STREAMED).status() == 200);
  }

  @AfterAll
  void close() {
    gate.close();
    upstream.close();
  }

  @Test
  void a_processor_that_never_returns_is_given_up_and_says_what_that_means() throws IOException {
    var before = gate.count("override_message_timeout_received");
    var timeouts = gate.count("message_timeouts");
    var answer = send(
        new Faulty() {
          @Override
          public Reply headers(HeadersMessage headers) {
            return new Reply.Later(() -> {
              new CountDownLatch(1).await();
              return () -> Reply.UNCHANGED;
            });
          }
        },
        BodySendMode.NONE,
        BodySendMode.NONE);
    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.body().toStringUtf8()).isEqualTo("LATE");
    assertThat(gate.count("override_message_timeout_received")).isEqualTo(before + 1);
    assertThat(gate.count("message_timeouts")).isEqualTo(timeouts);
  }

  @Test
  void metadata_that_goes_with_an_immediate_response_is_taken() throws IOException {
    var told = Struct.newBuilder()
        .putFields("told", Value.newBuilder().setStringValue("yes").build())
        .build();
    var answer = send(
        new Faulty() {
          @Override
          public Reply headers(HeadersMessage headers) {
            return Reply.Respond.problem(418, "Teapot", "teapot")
                .with(DynamicMetadata.of("test", told));
          }
        },
        BodySendMode.NONE,
        BodySendMode.NONE);
    assertThat(answer.status()).isEqualTo(418);
    assertThat(answer.head().field("x-told")).isEqualTo("yes");
  }

  @Test
  void a_processor_that_throws_says_what_that_means() throws IOException {
    for (var mode : ProcessingGate.MODES) {
      var answer = send(
          new Faulty() {
            @Override
            public Reply headers(HeadersMessage headers) {
              throw new IllegalStateException("a bug");
            }
          },
          mode,
          mode);
      assertThat(answer.status()).as("%s", mode).isEqualTo(500);
      assertThat(answer.body().toStringUtf8()).isEqualTo("BROKEN");
    }
  }

  @Test
  void a_gathered_body_over_the_bound_is_answered_before_the_upstream_hears_of_it()
      throws IOException {
    var number = numbers.get();
    var answer = send(
        new Faulty() {
          @Override
          public Reply headers(HeadersMessage headers) {
            return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
          }

          @Override
          public long gathers(Direction direction) {
            return 50_000;
          }
        },
        BodySendMode.FULL_DUPLEX_STREAMED,
        BodySendMode.NONE);
    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.body().toStringUtf8()).isEqualTo("BODY_TOO_LARGE");
    assertThat(upstream.seen(number)).isNull();
  }

  @Test
  void an_immediate_response_after_the_headers_have_gone_resets_the_clients_stream() {
    for (var mode : TransformGate.STREAMING) {
      large = numbers.get();
      assertThatThrownBy(() -> send(
              new Faulty() {
                private int chunks;

                @Override
                public Reply headers(HeadersMessage headers) {
                  return headers.direction() == Direction.REQUEST
                      ? Reply.UNCHANGED
                      : Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS);
                }

                @Override
                public Reply chunk(Direction direction, ByteString piece, boolean last) {
                  return ++chunks > 1
                      ? new Reply.Respond(403, HeaderChanges.NONE, ByteString.EMPTY, "late")
                      : Reply.UNCHANGED;
                }
              },
              BodySendMode.NONE,
              mode))
          .as("%s", mode)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void a_client_that_goes_away_ends_the_stream_in_every_mode() throws IOException {
    for (var mode : ProcessingGate.MODES) {
      var begun = new CountDownLatch(1);
      var ended = new AtomicInteger();
      var failed = new AtomicBoolean();
      var number = numbers.getAndIncrement();
      processors.put(number, new Faulty() {
        @Override
        public Reply headers(HeadersMessage headers) {
          begun.countDown();
          return Reply.Continue.of(HeaderChanges.NONE, BodyWish.PART);
        }

        @Override
        public void ended(Ending ending) {
          failed.set(ending.failed());
          ended.incrementAndGet();
        }
      });
      var request = new ChunkedClient.Request(
          ProcessingGate.path(mode, mode), number, List.of(PIECE), false, false);
      ChunkedClient.begin(gate.deaf(), request, () -> await().until(() -> begun.getCount() == 0));
      await(mode.name()).until(() -> ended.get() == 1);
      assertThat(failed).isFalse();
    }
  }

  @Test
  void a_work_whose_client_is_gone_is_interrupted() throws IOException {
    var begun = new CountDownLatch(1);
    var interrupted = new CountDownLatch(1);
    var number = numbers.getAndIncrement();
    processors.put(number, new Faulty() {
      @Override
      public Reply headers(HeadersMessage headers) {
        return new Reply.Later(() -> {
          begun.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
          }
          return () -> Reply.UNCHANGED;
        });
      }
    });
    var request = new ChunkedClient.Request(
        ProcessingGate.path(BodySendMode.NONE, BodySendMode.NONE), number, List.of(), false, false);
    ChunkedClient.begin(gate.deaf(), request, () -> await().until(() -> begun.getCount() == 0));
    await().until(() -> interrupted.getCount() == 0);
  }

  /** Envoy completes an override from the filter's configuration, not from the route's, so {@link ModeOverride} says what it means. */
  @Test
  void what_an_override_leaves_at_default_is_the_filters_and_not_the_routes() throws IOException {
    for (var sending : Sending.values()) {
      var asked = new AtomicInteger();
      var number = numbers.getAndIncrement();
      processors.put(number, new Faulty() {
        @Override
        public Reply headers(HeadersMessage headers) {
          if (headers.direction() == Direction.RESPONSE) {
            asked.incrementAndGet();
            return Reply.UNCHANGED;
          }
          return Reply.Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN)
              .with(new ModeOverride(
                  BodyMode.NONE, BodyMode.NONE, sending, Sending.DEFAULT, Sending.DEFAULT));
        }
      });
      var request = new ChunkedClient.Request("/skipping", number, List.of(), false, false);
      assertThat(ChunkedClient.send(gate.deaf(), request).status()).isEqualTo(200);
      assertThat(asked).as("the route skips, and no override is heeded").hasValue(0);
      assertThat(ChunkedClient.send(gate.heeding(), request).status()).isEqualTo(200);
      assertThat(asked).as("%s", sending).hasValue(sending == Sending.SKIP ? 0 : 1);
    }
  }

  private ChunkedClient.Answer send(
      Processor processor, BodySendMode request, BodySendMode response) throws IOException {
    var number = numbers.getAndIncrement();
    processors.put(number, processor);
    return ChunkedClient.send(
        gate.deaf(),
        new ChunkedClient.Request(
            ProcessingGate.path(request, response),
            number,
            List.of(PIECE, PIECE, PIECE),
            false,
            false));
  }

  /** Says what went wrong. */
  private abstract static class Faulty implements Processor {
    @Override
    public Reply body(Direction direction, ByteString body) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return new Reply.Respond(
          500,
          HeaderChanges.NONE,
          ByteString.copyFromUtf8(failure.cause().name()),
          "processor_failed");
    }
  }
}
