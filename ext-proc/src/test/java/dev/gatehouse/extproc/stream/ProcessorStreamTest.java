package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.testkit.EnvoyStream;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpTrailers;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The traps of Envoy's filter, each by its name, and what goes wrong on the way. */
class ProcessorStreamTest {
  @Test
  void every_message_is_answered_by_its_mirror() {
    var peer = passing();
    assertThat(peer.answerTo(requestHeaders(false)).hasRequestHeaders()).isTrue();
    assertThat(peer.answerTo(requestBody("a", false)).hasRequestBody()).isTrue();
    assertThat(peer.answerTo(requestTrailers()).hasRequestTrailers()).isTrue();
    assertThat(peer.answerTo(responseHeaders(false)).hasResponseHeaders()).isTrue();
    assertThat(peer.answerTo(responseBody("a", false)).hasResponseBody()).isTrue();
    assertThat(peer.answerTo(responseTrailers()).hasResponseTrailers()).isTrue();
  }

  @Test
  void a_stream_may_begin_with_the_responses_headers() {
    assertThat(passing().answerTo(responseHeaders(true)).hasResponseHeaders()).isTrue();
  }

  @Test
  void nothing_is_answered_in_observability_mode() {
    var peer = passing();
    assertThat(peer.exchange(
            requestHeaders(true).toBuilder().setObservabilityMode(true).build()))
        .isNull();
    assertThat(peer.exchange(
            responseHeaders(true).toBuilder().setObservabilityMode(true).build()))
        .isNull();
  }

  @Test
  void streamed_chunks_are_answered_one_by_one() {
    var peer = passing();
    peer.exchange(config(requestHeaders(false), BodySendMode.STREAMED));
    for (var i = 0; i < 3; i++) {
      assertThat(peer.answerTo(requestBody("a", i == 2)).hasRequestBody()).isTrue();
    }
  }

  @Test
  void every_byte_comes_back_in_full_duplex_and_a_second_end_is_not_answered() {
    var peer = passing();
    peer.exchange(config(requestHeaders(false), BodySendMode.FULL_DUPLEX_STREAMED));
    var back = ByteString.EMPTY;
    for (var i = 0; i < 3; i++) {
      var chunk = peer.answerTo(requestBody("abc" + i, i == 2)).getRequestBody().getResponse();
      var streamed = chunk.getBodyMutation().getStreamedResponse();
      back = back.concat(streamed.getBody());
      assertThat(streamed.getEndOfStream()).isEqualTo(i == 2);
    }
    assertThat(back.toStringUtf8()).isEqualTo("abc0abc1abc2");
    assertThat(peer.exchange(requestBody("", true))).isNull();
  }

  @Test
  void messages_out_of_order_fail_the_stream() {
    for (var second : List.of(requestHeaders(true), requestBody("a", true), requestTrailers())) {
      var peer = passing();
      peer.exchange(requestHeaders(true));
      assertThatThrownBy(() -> peer.exchange(second)).isInstanceOf(StreamFailed.class);
    }
  }

  @Test
  void an_empty_message_fails_the_stream_since_nothing_could_mirror_it() {
    assertThatThrownBy(() -> passing().exchange(ProcessingRequest.getDefaultInstance()))
        .isInstanceOf(StreamFailed.class)
        .hasMessageContaining("INVALID_ARGUMENT");
  }

  @Test
  void a_refused_stream_fails_at_its_first_message_whatever_that_is() {
    for (var first : List.of(requestHeaders(true), requestBody("a", true), responseHeaders(true))) {
      var peer = new DirectPeer(message -> new Opened.Refused("no such route"));
      assertThatThrownBy(() -> peer.exchange(first))
          .isInstanceOf(StreamFailed.class)
          .hasMessageContaining("no such route");
    }
  }

  @Test
  void a_processor_that_throws_is_asked_what_that_means() {
    var peer = peer(new Scripted(headers -> {
      throw new IllegalStateException("a bug");
    }));
    var answer = peer.answerTo(requestHeaders(true));
    assertThat(answer.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
    assertThat(answer.toString()).doesNotContain("a bug");
  }

  /** Not every team's compiler looks for nulls. */
  @Test
  @SuppressWarnings("NullAway")
  void a_processor_that_says_nothing_is_asked_what_that_means() {
    for (var nothing :
        new Reply[] {null, new Reply.Later(() -> () -> null), new Reply.Later(() -> null)}) {
      var answer = peer(new Scripted(headers -> nothing)).answerTo(requestHeaders(true));
      assertThat(answer.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
    }
  }

  @Test
  void after_an_immediate_response_the_stream_is_over() {
    var peer = peer(new Scripted(headers -> Scripted.REFUSAL));
    assertThat(peer.answerTo(requestHeaders(false)).hasImmediateResponse()).isTrue();
    assertThat(String.valueOf(peer.closed())).contains("OK");
  }

  @Test
  void content_length_is_that_of_the_new_body_in_the_same_answer() {
    var processor = new Scripted(headers -> Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    var envoy = new EnvoyStream(peer(processor)).bodies(BodySendMode.BUFFERED, BodySendMode.NONE);
    envoy.requestHeaders(false, "content-length", "3").requestBody("abc");
    assertThat(envoy.upstream().body()).isEqualTo("new body");
    assertThat(envoy.upstream().values("content-length")).containsExactly("8");
  }

  @Test
  void only_raw_value_and_append_are_used_and_append_action_is_set_alike() {
    var changes = HeaderChanges.builder()
        .remove("x-gone")
        .overwrite("x-one", "1")
        .append("x-two", ByteString.copyFromUtf8("2"))
        .build();
    var envoy = new EnvoyStream(
            peer(new Scripted(headers -> Reply.Continue.of(changes, BodyWish.UNSEEN))))
        .requestHeaders(true, "x-gone", "a", "x-one", "a", "x-one", "b", "x-two", "1");
    assertThat(envoy.upstream().values("x-gone")).isEmpty();
    assertThat(envoy.upstream().values("x-one")).containsExactly("1");
    assertThat(envoy.upstream().values("x-two")).containsExactly("1", "2");
  }

  @Test
  void late_work_holds_back_the_next_message_and_its_answer_comes_in_order() {
    var waiting = new ArrayList<Runnable>();
    var processor = new Scripted(headers -> new Reply.Later(() -> () -> Reply.UNCHANGED));
    var peer = new DirectPeer(first -> new Opened.With(processor), waiting::add);
    assertThat(peer.exchange(requestHeaders(false))).isNull();
    assertThat(peer.exchange(requestBody("a", true))).isNull();
    assertThat(peer.waiting()).isEqualTo(1);
    waiting.removeFirst().run();
    assertThat(peer.answer().hasRequestHeaders()).isTrue();
    peer.deliver();
    assertThat(peer.answer().hasRequestBody()).isTrue();
  }

  @Test
  void work_that_ends_after_a_reset_is_dropped() {
    var waiting = new ArrayList<Runnable>();
    var processor = new Scripted(headers -> new Reply.Later(() -> () -> Reply.UNCHANGED));
    var peer = new DirectPeer(first -> new Opened.With(processor), waiting::add);
    peer.exchange(requestHeaders(false));
    peer.cancel();
    waiting.removeFirst().run();
    assertThat(peer.receive()).isNull();
    assertThat(processor.endings).hasSize(1);
  }

  @Test
  void a_half_close_waits_for_late_work() {
    var waiting = new ArrayList<Runnable>();
    var processor = new Scripted(headers -> new Reply.Later(() -> () -> Reply.UNCHANGED));
    var peer = new DirectPeer(first -> new Opened.With(processor), waiting::add);
    peer.exchange(requestHeaders(true));
    peer.halfClose();
    assertThat(peer.closed()).isNull();
    waiting.removeFirst().run();
    assertThat(peer.answer().hasRequestHeaders()).isTrue();
    assertThat(peer.closed()).isNotNull();
  }

  @Test
  void late_work_that_throws_or_finds_no_worker_is_failed() {
    Scripted throwing = new Scripted(headers -> new Reply.Later(() -> {
      throw new IllegalStateException("a bug");
    }));
    assertThat(peer(throwing).answerTo(requestHeaders(true)).hasImmediateResponse())
        .isTrue();
    Executor full = work -> {
      throw new RejectedExecutionException();
    };
    var late = new Scripted(headers -> new Reply.Later(() -> () -> Reply.UNCHANGED));
    var peer = new DirectPeer(first -> new Opened.With(late), full);
    var answer = peer.answerTo(requestHeaders(true));
    assertThat(answer.hasImmediateResponse()).isTrue();
  }

  @Test
  void a_whole_body_that_is_awaited_and_goes_by_unseen_fails_closed() {
    var processor = new Scripted(headers -> Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    var peer = peer(processor);
    peer.exchange(requestHeaders(false));
    assertThat(peer.answerTo(requestTrailers()).hasImmediateResponse()).isTrue();
  }

  /** Replies to headers as it was told, and to a body by another. */
  private static final class Scripted implements Processor {
    static final Reply.Respond REFUSAL =
        new Reply.Respond(500, HeaderChanges.NONE, ByteString.EMPTY, "refused");

    final List<Ending> endings = new ArrayList<>();
    private final Function<HeadersMessage, Reply> script;

    Scripted(Function<HeadersMessage, Reply> script) {
      this.script = script;
    }

    @Override
    public Reply headers(HeadersMessage headers) {
      return script.apply(headers);
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new body"));
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return REFUSAL;
    }

    @Override
    public void ended(Ending ending) {
      endings.add(ending);
    }
  }

  private static DirectPeer passing() {
    return peer(Processor.PASS);
  }

  private static DirectPeer peer(Processor processor) {
    return new DirectPeer(first -> new Opened.With(processor));
  }

  private static ProcessingRequest config(ProcessingRequest message, BodySendMode mode) {
    return message.toBuilder()
        .setProtocolConfig(
            ProtocolConfiguration.newBuilder().setRequestBodyMode(mode).setResponseBodyMode(mode))
        .build();
  }

  private static ProcessingRequest requestHeaders(boolean end) {
    return ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.newBuilder().setEndOfStream(end))
        .build();
  }

  private static ProcessingRequest responseHeaders(boolean end) {
    return ProcessingRequest.newBuilder()
        .setResponseHeaders(HttpHeaders.newBuilder().setEndOfStream(end))
        .build();
  }

  private static ProcessingRequest requestBody(String body, boolean end) {
    return ProcessingRequest.newBuilder().setRequestBody(body(body, end)).build();
  }

  private static ProcessingRequest responseBody(String body, boolean end) {
    return ProcessingRequest.newBuilder().setResponseBody(body(body, end)).build();
  }

  private static HttpBody body(String body, boolean end) {
    return HttpBody.newBuilder()
        .setBody(ByteString.copyFromUtf8(body))
        .setEndOfStream(end)
        .build();
  }

  private static ProcessingRequest requestTrailers() {
    return ProcessingRequest.newBuilder()
        .setRequestTrailers(HttpTrailers.getDefaultInstance())
        .build();
  }

  private static ProcessingRequest responseTrailers() {
    return ProcessingRequest.newBuilder()
        .setResponseTrailers(HttpTrailers.getDefaultInstance())
        .build();
  }
}
