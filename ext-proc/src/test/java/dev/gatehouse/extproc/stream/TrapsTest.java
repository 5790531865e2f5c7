package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.testkit.EnvoyFilter;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse.ResponseCase;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What Envoy's ext_proc filter does that one would not expect, trap by trap. Those that are not the stream's: what a policy may change
 * of {@code host} and the like, and line breaks, {@code HeaderStepsTest}; routes that are never chosen anew, the policy case
 * transform-never-reroutes; upgrades, {@code WireOnEnvoyTest} and {@code BodyStepsTest}; event streams, {@code BodyStepsTest}; answers that come too late for the
 * client, {@code FaultsOnEnvoyTest}.
 */
class TrapsTest {
  @Test
  @SuppressWarnings("deprecation") // Envoy heeds no other
  void a_value_goes_in_raw_value_and_says_append_in_both_fields() {
    var changes = HeaderChanges.builder()
        .overwrite("x-one", "1")
        .append("x-two", ByteString.copyFromUtf8("2"))
        .build();
    var answer = answerToHeaders(new Saying(Reply.Continue.of(changes, BodyWish.UNSEEN)));
    var options = answer.getRequestHeaders().getResponse().getHeaderMutation().getSetHeadersList();
    assertThat(options).extracting(option -> option.getHeader().getValue()).containsOnly("");
    assertThat(options)
        .extracting(option -> option.getHeader().getRawValue().toStringUtf8())
        .containsExactly("1", "2");
    assertThat(options)
        .extracting(option -> option.getAppend().getValue())
        .containsExactly(false, true);
    assertThat(options).extracting(option -> option.getAppendActionValue()).containsExactly(2, 0);
  }

  @Test
  void removals_run_first_so_a_header_can_be_removed_and_set_in_one_answer() {
    var changes =
        HeaderChanges.builder().overwrite("x-one", "new").remove("x-one").build();
    var envoy = new EnvoyStream(peer(new Saying(Reply.Continue.of(changes, BodyWish.UNSEEN))))
        .requestHeaders(true, "x-one", "old");
    assertThat(envoy.upstream().values("x-one")).containsExactly("new");
  }

  @Test
  void the_route_cache_is_never_cleared() {
    var changes = HeaderChanges.builder().overwrite(":path", "/other").build();
    var answer = answerToHeaders(new Saying(Reply.Continue.of(changes, BodyWish.UNSEEN)));
    assertThat(answer.getRequestHeaders().getResponse().getClearRouteCache()).isFalse();
  }

  @Test
  void an_override_says_the_body_mode_of_the_other_direction_again() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN)
        .with(ModeOverride.responseBody(BodyMode.BUFFERED)));
    var answer = answerToHeaders(processor, BodySendMode.STREAMED, BodySendMode.NONE);
    assertThat(answer.getModeOverride().getRequestBodyMode()).isEqualTo(BodySendMode.STREAMED);
    assertThat(answer.getModeOverride().getResponseBodyMode()).isEqualTo(BodySendMode.BUFFERED);
  }

  @Test
  void
      an_override_asks_for_the_headers_since_default_would_be_the_filters_mode_and_not_the_routes() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN)
        .with(ModeOverride.responseBody(BodyMode.BUFFERED)));
    var answer = answerToHeaders(processor, BodySendMode.NONE, BodySendMode.NONE);
    assertThat(answer.getModeOverride().getResponseHeaderMode()).isEqualTo(HeaderSendMode.SEND);
  }

  @Test
  void an_override_is_not_said_where_envoy_would_ignore_it() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN)
        .with(ModeOverride.responseBody(BodyMode.BUFFERED)));
    var duplex = answerToHeaders(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE);
    assertThat(duplex.hasModeOverride()).isFalse();
    assertThat(answerToHeaders(processor).hasModeOverride())
        .as("modes not told")
        .isFalse();
  }

  @Test
  void nobody_overrides_to_full_duplex_because_the_first_chunk_would_pass() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ModeOverride.requestBody(BodyMode.FULL_DUPLEX))
        .withMessageContaining("FULL_DUPLEX_STREAMED");
  }

  @Test
  void going_to_a_streamed_mode_removes_the_content_length() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS)
        .with(ModeOverride.requestBody(BodyMode.STREAMED)));
    processor.chunk = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("longer"));
    var envoy = new Play(processor, BodySendMode.NONE, BodySendMode.NONE, true);
    envoy.filter.requestHeaders(false, "content-length", "3");
    envoy.takeAll();
    envoy.filter.requestData(ByteString.copyFromUtf8("abc"), true);
    envoy.takeAll();
    assertThat(envoy.filter.request().message().values("content-length")).isEmpty();
    assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo("longer");
  }

  @Test
  void an_override_that_was_not_heeded_fails_the_request_whose_body_went_by_unseen() {
    for (var granted : new boolean[] {true, false}) {
      var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE)
          .with(ModeOverride.requestBody(BodyMode.BUFFERED)));
      processor.body = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"));
      var envoy = new Play(processor, BodySendMode.NONE, BodySendMode.NONE, granted);
      envoy.filter.requestHeaders(false, ":method", "POST");
      envoy.takeAll();
      envoy.filter.requestData(ByteString.copyFromUtf8("abc"), true);
      envoy.takeAll();
      assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo(granted ? "new" : "abc");
      envoy.filter.responseHeaders(true, ":status", "200");
      envoy.takeAll();
      assertThat(envoy.filter.immediate() == null).isEqualTo(granted);
    }
  }

  @Test
  void a_buffered_body_with_trailers_gets_no_content_length_which_would_cost_the_trailers() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    processor.body = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("longer"));
    var envoy = new Play(processor, BodySendMode.BUFFERED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, "content-length", "3");
    envoy.takeAll();
    envoy.filter.requestData(ByteString.copyFromUtf8("abc"), false);
    envoy.filter.requestTrailers();
    envoy.takeAll();
    assertThat(envoy.filter.request().message().values("content-length")).isEmpty();
    assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo("longer");
    assertThat(envoy.filter.request().ended()).isTrue();
  }

  @Test
  void a_body_that_is_emptied_has_the_length_0_in_the_same_answer() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    processor.body = new Reply.NewBody(HeaderChanges.NONE, ByteString.EMPTY);
    EnvoyStream.request("POST /", "abc")
        .requestMode(BodySendMode.BUFFERED)
        .through(peer(processor))
        .expectUpstreamHeader("content-length", "0")
        .expectUpstreamBody("");
  }

  @Test
  void what_came_before_a_replacement_was_known_is_not_answered() {
    var envoy = new Play(
        new Saying(new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"))),
        BodySendMode.STREAMED,
        BodySendMode.NONE,
        false,
        true);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(ByteString.copyFromUtf8("early"), true);
    envoy.takeAll();
    assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo("new");
  }

  @Test
  void a_full_duplex_body_is_replaced_without_continue_and_replace_in_the_old_ones_place() {
    var envoy = new Play(
        new Saying(new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"))),
        BodySendMode.FULL_DUPLEX_STREAMED,
        BodySendMode.NONE,
        false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), false);
    envoy.takeAll();
    assertThat(envoy.filter.request().passed()).isEmpty();
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), true);
    envoy.takeAll();
    assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo("new");
    assertThat(envoy.filter.request().ended()).isTrue();
  }

  @Test
  void a_status_that_envoy_would_turn_into_200_cannot_be_said() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Reply.Respond(100, HeaderChanges.NONE, ByteString.EMPTY, ""))
        .withMessage("status: 100 (expected: 200 to 599)");
  }

  @Test
  void a_stream_may_begin_with_the_response_and_tells_that_envoy_made_it() {
    var heard = new ArrayList<Boolean>();
    var processor = new Saying(Reply.UNCHANGED) {
      @Override
      public Reply headers(HeadersMessage headers) {
        heard.add(headers.isLocalReply());
        return super.headers(headers);
      }
    };
    for (var details : List.of("ext_authz_denied", "via_upstream")) {
      var peer = peer(processor);
      var filter = new EnvoyFilter(
          settings(BodySendMode.NONE, BodySendMode.NONE, false, false), details, peer::send);
      filter.responseHeaders(true, ":status", "401");
      filter.take(peer.answer());
      assertThat(filter.response().waiting()).isFalse();
    }
    assertThat(heard).containsExactly(true, false);
  }

  @Test
  void an_attribute_is_a_text_or_it_is_none() {
    var attributes = Struct.newBuilder()
        .putFields(
            "source.address", Value.newBuilder().setStringValue("10.0.0.1:1").build())
        .putFields("response.size", Value.newBuilder().setNumberValue(7).build())
        .build();
    var headers = new HeadersMessage(ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.getDefaultInstance())
        .putAttributes("envoy.filters.http.ext_proc", attributes)
        .build());
    assertThat(headers.attribute("source.address")).isEqualTo("10.0.0.1:1");
    assertThat(headers.attribute("response.size")).isNull();
  }

  @Test
  void a_reset_is_how_a_stream_ends_and_no_failure() {
    var processor = new Saying(Reply.UNCHANGED);
    var peer = peer(processor);
    var filter =
        new EnvoyFilter(settings(BodySendMode.NONE, BodySendMode.NONE, false, false), peer::send);
    filter.requestHeaders(true, ":method", "GET");
    peer.cancel();
    assertThat(processor.endings).hasSize(1);
    assertThat(processor.endings.getFirst().failed()).isFalse();
  }

  @Test
  void a_full_duplex_chunk_is_never_over_62_000_bytes_and_the_last_one_ends_the_stream_once() {
    var envoy = new Play(
        new Saying(Reply.UNCHANGED), BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    var large = ByteString.copyFrom(new byte[200_000]);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(
        large, true); // The model takes no larger chunk, and nothing after the end.
    envoy.takeAll();
    assertThat(envoy.filter.request().passed()).isEqualTo(large);
    envoy.filter.requestData(ByteString.EMPTY, true);
    assertThat(envoy.peer.receive()).as("answer to a second end").isNull();
  }

  @Test
  void with_trailers_no_full_duplex_chunk_ends_the_stream() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    processor.body = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), false);
    envoy.filter.requestTrailers();
    var answers = envoy.takeAll();
    assertThat(answers).hasSize(3);
    assertThat(answers.get(0).hasRequestHeaders()).isTrue();
    var chunk =
        answers.get(1).getRequestBody().getResponse().getBodyMutation().getStreamedResponse();
    assertThat(chunk.getBody().toStringUtf8()).isEqualTo("new");
    assertThat(chunk.getEndOfStream()).isFalse();
    assertThat(answers.get(2).hasRequestTrailers()).isTrue();
  }

  @Test
  void the_answer_to_full_duplex_headers_waits_for_the_gathered_body_so_that_it_can_still_refuse() {
    var processor = new Saying(
        Reply.Continue.of(HeaderChanges.builder().overwrite("x-a", "1").build(), BodyWish.WHOLE));
    processor.body = new Reply.NewBody(
        HeaderChanges.builder().remove("content-encoding").build(), ByteString.copyFromUtf8("new"));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, "content-encoding", "gzip");
    assertThat(envoy.takeAll()).isEmpty();
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), true);
    envoy.takeAll();
    assertThat(envoy.filter.request().message().values("x-a")).containsExactly("1");
    assertThat(envoy.filter.request().message().values("content-encoding")).isEmpty();
    assertThat(envoy.filter.request().passed().toStringUtf8()).isEqualTo("new");
  }

  @Test
  void a_gathered_body_over_the_bound_is_refused_before_anything_has_gone() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(ByteString.copyFrom(new byte[Saying.GATHERS]), false);
    envoy.takeAll();
    assertThat(envoy.filter.immediate()).isNull();
    envoy.filter.requestData(ByteString.copyFrom(new byte[1]), false);
    envoy.takeAll();
    assertThat(envoy.filter.immediate()).isNotNull();
    assertThat(processor.failures).containsExactly(Processor.Cause.BODY_TOO_LARGE);
    assertThat(envoy.peer.closed()).isNotNull();
  }

  @Test
  void held_headers_wait_for_the_first_chunk_only_and_can_be_refused_until_then() {
    var processor = new Saying(Reply.Continue.of(
        HeaderChanges.builder().overwrite("x-a", "1").build(), BodyWish.HELD_CHUNKS));
    processor.chunk = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    assertThat(envoy.takeAll()).isEmpty();
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), false);
    assertThat(envoy.takeAll())
        .extracting(ProcessingResponse::getResponseCase)
        .containsExactly(ResponseCase.REQUEST_HEADERS, ResponseCase.REQUEST_BODY);
    assertThat(envoy.filter.request().message().values("x-a")).containsExactly("1");
  }

  @Test
  void held_headers_without_a_body_go_out_before_the_trailers() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.HELD_CHUNKS));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestTrailers();
    assertThat(envoy.takeAll())
        .extracting(ProcessingResponse::getResponseCase)
        .containsExactly(ResponseCase.REQUEST_HEADERS, ResponseCase.REQUEST_TRAILERS);
  }

  @Test
  void metadata_goes_with_the_answer_and_with_a_held_one_when_that_goes() {
    var told = DynamicMetadata.of("ours", struct("at", "headers"));
    var go = Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE).with(told);
    assertThat(answerToHeaders(new Saying(go)).getDynamicMetadata().getFieldsOrThrow("ours"))
        .isEqualTo(Value.newBuilder().setStructValue(struct("at", "headers")).build());
    var processor = new Saying(go);
    processor.body = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"))
        .with(DynamicMetadata.of("ours", "size", "3"));
    var envoy = new Play(processor, BodySendMode.FULL_DUPLEX_STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    assertThat(envoy.takeAll()).isEmpty();
    envoy.filter.requestData(ByteString.copyFromUtf8("old"), true);
    var answers = envoy.takeAll();
    assertThat(answers.getFirst().getDynamicMetadata().getFieldsOrThrow("ours").getStructValue())
        .isEqualTo(
            struct("at", "headers").toBuilder().mergeFrom(struct("size", "3")).build());
    assertThat(answers.getLast().hasDynamicMetadata()).isFalse();
  }

  private static Struct struct(String name, String value) {
    return Struct.newBuilder()
        .putFields(name, Value.newBuilder().setStringValue(value).build())
        .build();
  }

  @Test
  void bytes_held_back_until_trailers_come_fail_a_streamed_body_instead_of_getting_lost() {
    var processor = new Saying(Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS));
    processor.chunk = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("kept"));
    var envoy = new Play(processor, BodySendMode.STREAMED, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.filter.requestData(ByteString.copyFromUtf8("abc"), false);
    envoy.takeAll();
    envoy.filter.requestTrailers();
    envoy.takeAll();
    assertThat(processor.failures).containsExactly(Processor.Cause.BROKEN);
    assertThat(envoy.filter.immediate()).isNotNull();
  }

  @Test
  void trailers_are_changed_in_their_own_answer() {
    var processor = new Saying(Reply.UNCHANGED);
    processor.trailers =
        Reply.Continue.of(HeaderChanges.builder().overwrite("x-t", "1").build(), BodyWish.UNSEEN);
    var envoy = new Play(processor, BodySendMode.NONE, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.takeAll();
    envoy.filter.requestTrailers();
    var answers = envoy.takeAll();
    assertThat(answers).hasSize(1);
    var changed = answers.getFirst().getRequestTrailers().getHeaderMutation().getSetHeadersList();
    assertThat(changed).extracting(option -> option.getHeader().getKey()).containsExactly("x-t");
  }

  @Test
  void a_body_says_nothing_that_only_headers_may_say_to_trailers() {
    var processor = new Saying(Reply.UNCHANGED);
    processor.trailers = new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8("new"));
    var envoy = new Play(processor, BodySendMode.NONE, BodySendMode.NONE, false);
    envoy.filter.requestHeaders(false, ":method", "POST");
    envoy.takeAll();
    envoy.filter.requestTrailers();
    envoy.takeAll();
    assertThat(processor.failures).containsExactly(Processor.Cause.BROKEN);
  }

  /** A filter, a processor, and what lies between. */
  private static final class Play {
    private final DirectPeer peer;
    private final EnvoyFilter filter;

    Play(Processor processor, BodySendMode request, BodySendMode response, boolean override) {
      this(processor, request, response, override, false);
    }

    Play(
        Processor processor,
        BodySendMode request,
        BodySendMode response,
        boolean override,
        boolean early) {
      peer = peer(processor);
      filter = new EnvoyFilter(settings(request, response, override, early), peer::send);
    }

    List<ProcessingResponse> takeAll() {
      var all = new ArrayList<ProcessingResponse>();
      for (var answer = peer.receive(); answer != null; answer = peer.receive()) {
        all.add(answer);
        filter.take(answer);
      }
      return all;
    }
  }

  /** Says what it was told. */
  private static class Saying implements Processor {
    static final int GATHERS = 1_000;

    final List<Ending> endings = new ArrayList<>();
    final List<Cause> failures = new ArrayList<>();
    private final Reply headers;
    Reply body = Reply.UNCHANGED;
    Reply chunk = Reply.UNCHANGED;
    Reply trailers = Reply.UNCHANGED;

    Saying(Reply headers) {
      this.headers = headers;
    }

    @Override
    public Reply headers(HeadersMessage message) {
      return message.direction() == Direction.REQUEST ? headers : Reply.UNCHANGED;
    }

    @Override
    public Reply body(Direction direction, ByteString whole) {
      return body;
    }

    @Override
    public Reply chunk(Direction direction, ByteString piece, boolean last) {
      return chunk;
    }

    @Override
    public Reply trailers(Direction direction, List<HeaderValue> fields) {
      return trailers;
    }

    @Override
    public long gathers(Direction direction) {
      return GATHERS;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      failures.add(failure.cause());
      return new Reply.Respond(500, HeaderChanges.NONE, ByteString.EMPTY, "refused");
    }

    @Override
    public void ended(Ending ending) {
      endings.add(ending);
    }
  }

  private static ProcessingResponse answerToHeaders(Processor processor) {
    return answerToHeaders(processor, null, null);
  }

  /** @param request null tells no modes */
  private static ProcessingResponse answerToHeaders(
      Processor processor, @Nullable BodySendMode request, @Nullable BodySendMode response) {
    var peer = peer(processor);
    var envoy = new EnvoyFilter(
        request == null || response == null
            ? new EnvoyFilter.Settings(
                ProcessingMode.getDefaultInstance(), false, false, false, false, 100)
            : settings(request, response, true, false),
        peer::send);
    envoy.requestHeaders(false, ":method", "POST");
    return peer.answer();
  }

  private static EnvoyFilter.Settings settings(
      BodySendMode request, BodySendMode response, boolean override, boolean early) {
    var mode = ProcessingMode.newBuilder()
        .setRequestBodyMode(request)
        .setResponseBodyMode(response)
        .setRequestTrailerMode(HeaderSendMode.SEND)
        .setResponseTrailerMode(HeaderSendMode.SEND);
    return new EnvoyFilter.Settings(mode.build(), override, false, true, early, 100);
  }

  private static DirectPeer peer(Processor processor) {
    return new DirectPeer(first -> new Opened.With(processor));
  }
}
