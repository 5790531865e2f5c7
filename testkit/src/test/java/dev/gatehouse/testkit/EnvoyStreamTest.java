package dev.gatehouse.testkit;

import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.BUFFERED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.BUFFERED_PARTIAL;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.FULL_DUPLEX_STREAMED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.NONE;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.STREAMED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse.ResponseStatus;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest.RequestCase;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What the played Envoy sends, and what it makes of right answers. */
class EnvoyStreamTest {
  private static final String BODY = "0123456789";
  private static final String ANSWER = "abcdefghij";
  private static final List<BodySendMode> MODES =
      List.of(NONE, BUFFERED, BUFFERED_PARTIAL, STREAMED, FULL_DUPLEX_STREAMED);

  @Test
  void in_every_pair_of_modes_both_bodies_and_trailers_arrive() {
    for (var request : MODES) {
      for (var response : MODES) {
        EnvoyStream.request("POST /x", BODY)
            .chunked(3)
            .trailer("x-sum", "1")
            .requestMode(request)
            .responseMode(response)
            .sendTrailers()
            .respond(200, ANSWER)
            .chunked(4)
            .trailer("x-sum", "2")
            .through(mirror(request == FULL_DUPLEX_STREAMED, response == FULL_DUPLEX_STREAMED))
            .expectUpstreamBody(BODY)
            .expectUpstreamTrailer("x-sum", "1")
            .expectStatus(200)
            .expectBody(ANSWER)
            .expectTrailer("x-sum", "2");
      }
    }
  }

  @Test
  void a_mode_decides_how_a_body_is_sent() {
    assertThat(bodies(NONE)).isEmpty();
    assertThat(bodies(BUFFERED)).containsExactly(BODY);
    assertThat(bodies(STREAMED)).containsExactly("012", "345", "678", "9");
    assertThat(bodies(FULL_DUPLEX_STREAMED)).containsExactly("012", "345", "678", "9");
    assertThat(bodies(BUFFERED_PARTIAL)).containsExactly("012345");
  }

  /** Of BUFFERED_PARTIAL the first that is more than 5 bytes. */
  private static List<String> bodies(BodySendMode mode) {
    var peer = mirror(mode == FULL_DUPLEX_STREAMED, false);
    EnvoyStream.request("POST /x", BODY)
        .chunked(3)
        .requestMode(mode)
        .bufferLimit(5)
        .through(peer)
        .expectUpstreamBody(BODY);
    return peer.sent.stream()
        .filter(ProcessingRequest::hasRequestBody)
        .map(message -> message.getRequestBody().getBody().toStringUtf8())
        .toList();
  }

  @Test
  void headers_are_changed_as_envoy_does_it() {
    var peer = new ScriptedPeer((message, answers) -> answers.say(
        message.hasRequestHeaders()
            ? Says.headers(message, Says.set("x-a", "new").addRemoveHeaders("X-B"))
            : Says.headers(message, Says.set(":status", "404"))));
    EnvoyStream.request("GET /x?a=b")
        .header("x-a", "1")
        .header("x-a", "2")
        .header("x-b", "1")
        .header(":authority", "other.example.com")
        .respond(200)
        .through(peer)
        .expectUpstreamHeader(":method", "GET")
        .expectUpstreamHeader(":path", "/x?a=b")
        .expectUpstreamHeader(":authority", "other.example.com")
        .expectUpstreamHeader("x-a", "new")
        .expectUpstreamHeader("x-b")
        .expectStatus(404);
  }

  @Test
  void a_body_is_replaced_at_the_headers_and_its_length_taken_away() {
    var peer = new ScriptedPeer((message, answers) -> answers.say(
        message.hasRequestHeaders()
            ? Says.headers(
                message,
                Says.newBody("new")
                    .setStatus(ResponseStatus.CONTINUE_AND_REPLACE)
                    .build())
            : Says.mirror(message, false)));
    EnvoyStream.request("POST /x", BODY)
        .mode(BUFFERED)
        .respond(200)
        .through(peer)
        .expectUpstreamBody("new")
        .expectUpstreamHeader("content-length");
    assertThat(peer.sent)
        .extracting(ProcessingRequest::getRequestCase)
        .containsExactly(RequestCase.REQUEST_HEADERS, RequestCase.RESPONSE_HEADERS);
  }

  @Test
  void a_refusal_keeps_the_request_from_the_upstream_and_is_what_the_client_gets() {
    var peer = new ScriptedPeer((message, answers) -> answers.say(Says.immediate(403)));
    EnvoyStream.request("POST /x", BODY)
        .respond(200, ANSWER)
        .through(peer)
        .expectNoUpstream()
        .expectStatus(403)
        .expectBody("no");
    assertThat(peer.sent).hasSize(1);
  }

  @Test
  void an_override_is_heeded_ignored_or_forbidden() {
    var asking = EnvoyStream.request("POST /x", BODY);
    assertThat(bodiesUnderOverride(asking.allowModeOverride())).isEqualTo(1);
    assertThat(bodiesUnderOverride(EnvoyStream.request("POST /x", BODY).ignoreModeOverride()))
        .isZero();
    assertThatThrownBy(() -> bodiesUnderOverride(EnvoyStream.request("POST /x", BODY)))
        .isInstanceOf(BrokenRule.class);
    asking.through(overriding()).expectModeOverride(BUFFERED, NONE);
  }

  private static long bodiesUnderOverride(EnvoyExchange exchange) {
    var peer = overriding();
    exchange.through(peer).expectUpstreamBody(BODY);
    return peer.sent.stream().filter(ProcessingRequest::hasRequestBody).count();
  }

  private static ScriptedPeer overriding() {
    return new ScriptedPeer((message, answers) -> {
      var answer = Says.mirror(message, false);
      answers.say(
          message.hasRequestHeaders()
              ? answer.setModeOverride(ProcessingMode.newBuilder().setRequestBodyMode(BUFFERED))
              : answer);
    });
  }

  @Test
  void modes_are_told_in_the_first_message_unless_envoy_is_old() {
    var told = mirror(false, false);
    EnvoyStream.request("GET /x").responseMode(STREAMED).respond(200).through(told);
    assertThat(told.sent.get(0).getProtocolConfig().getResponseBodyMode()).isEqualTo(STREAMED);
    assertThat(told.sent.get(1).hasProtocolConfig()).isFalse();
    var untold = mirror(false, false);
    EnvoyStream.request("GET /x").withoutProtocolConfig().through(untold);
    assertThat(untold.sent.getFirst().hasProtocolConfig()).isFalse();
  }

  @Test
  void headers_that_the_mode_skips_are_not_sent() {
    var peer = mirror(false, false);
    EnvoyStream.request("POST /x", BODY)
        .mode(BUFFERED)
        .skipRequestHeaders()
        .skipResponseHeaders()
        .respond(200, ANSWER)
        .through(peer)
        .expectBody(ANSWER);
    assertThat(peer.sent)
        .extracting(ProcessingRequest::getRequestCase)
        .containsExactly(RequestCase.REQUEST_BODY, RequestCase.RESPONSE_BODY);
  }

  @Test
  void in_observability_mode_all_is_sent_and_nothing_waited_for() {
    var peer = new ScriptedPeer((message, answers) -> {});
    EnvoyStream.request("POST /x", BODY)
        .mode(STREAMED)
        .observed()
        .respond(200, ANSWER)
        .through(peer)
        .expectUpstreamBody(BODY)
        .expectBody(ANSWER);
    assertThat(peer.sent).hasSize(4).allMatch(ProcessingRequest::getObservabilityMode);
  }

  @Test
  void a_local_reply_begins_with_the_response() {
    var peer = mirror(false, false);
    EnvoyStream.localReply(401, "ext_authz_denied", "denied")
        .metadata("envoy.filters.http.ext_authz", text("sub", "alice"))
        .through(peer)
        .expectStatus(401)
        .expectBody("denied");
    var first = peer.sent.getFirst();
    assertThat(first.getRequestCase()).isEqualTo(RequestCase.RESPONSE_HEADERS);
    assertThat(attribute(first, "response.code_details")).isEqualTo("ext_authz_denied");
    assertThat(first.getMetadataContext().getFilterMetadataMap())
        .containsEntry("envoy.filters.http.ext_authz", text("sub", "alice"));
  }

  @Test
  void attributes_are_sent_once_a_direction_and_metadata_with_every_message() {
    var peer = mirror(false, false);
    EnvoyStream.request("POST /x", BODY)
        .attribute("source.address", "10.0.0.1:1")
        .metadata("auth", text("sub", "alice"))
        .mode(BUFFERED)
        .respond(200)
        .through(peer);
    assertThat(attribute(peer.sent.get(0), "source.address")).isEqualTo("10.0.0.1:1");
    assertThat(peer.sent.get(1).getAttributesCount()).isZero();
    assertThat(attribute(peer.sent.get(2), "response.code_details")).isEqualTo("via_upstream");
    assertThat(peer.sent)
        .allMatch(
            message -> message.getMetadataContext().getFilterMetadataMap().containsKey("auth"));
  }

  @Test
  void metadata_that_is_told_is_merged_by_namespace() {
    var peer = new ScriptedPeer((message, answers) -> answers.say(Says.mirror(message, false)
        .setDynamicMetadata(Struct.newBuilder()
            .putFields(
                "mine",
                Value.newBuilder()
                    .setStructValue(
                        text(message.getRequestCase().name().toLowerCase(Locale.ROOT), "seen"))
                    .build()))));
    EnvoyStream.request("GET /x")
        .receivingMetadata("mine")
        .respond(200)
        .through(peer)
        .expectMetadata("mine", "request_headers", "seen")
        .expectMetadata("mine", "response_headers", "seen");
  }

  @Test
  void a_streamed_body_may_come_before_the_headers_are_answered() {
    var headers = new ArrayList<ProcessingRequest>();
    var peer = new ScriptedPeer((message, answers) -> {
      if (message.hasRequestHeaders()) {
        headers.add(message);
        return;
      }
      headers.forEach(earlier -> answers.say(Says.mirror(earlier, false)));
      headers.clear();
      answers.say(Says.mirror(message, false));
    });
    EnvoyStream.request("POST /x", BODY)
        .chunked(3)
        .requestMode(STREAMED)
        .sendBodyWithoutWaiting()
        .respond(200)
        .through(peer)
        .expectUpstreamBody(BODY)
        .expectStatus(200);
    assertThat(
            peer.sent.getFirst().getProtocolConfig().getSendBodyWithoutWaitingForHeaderResponse())
        .isTrue();
  }

  @Test
  void an_early_response_overtakes_the_request() {
    var peer = mirror(true, false);
    EnvoyStream.request("POST /x", BODY)
        .chunked(5)
        .requestMode(FULL_DUPLEX_STREAMED)
        .respond(200, ANSWER)
        .early()
        .through(peer)
        .expectUpstreamBody(BODY)
        .expectBody(ANSWER);
    assertThat(peer.sent)
        .extracting(ProcessingRequest::getRequestCase)
        .containsExactly(
            RequestCase.REQUEST_HEADERS,
            RequestCase.RESPONSE_HEADERS,
            RequestCase.REQUEST_BODY,
            RequestCase.REQUEST_BODY);
  }

  @Test
  void the_end_of_a_full_duplex_body_may_come_twice() {
    var ended = new AtomicBoolean();
    var peer = new ScriptedPeer((message, answers) -> {
      var end = message.getRequestBody().getEndOfStream();
      if (!end || !ended.getAndSet(true)) {
        answers.say(Says.mirror(message, message.hasRequestBody()));
      }
    });
    EnvoyStream.request("POST /x", BODY)
        .requestMode(FULL_DUPLEX_STREAMED)
        .endOfStreamTwice()
        .respond(200)
        .through(peer)
        .expectUpstreamBody(BODY);
    assertThat(peer.sent)
        .filteredOn(message -> message.getRequestBody().getEndOfStream())
        .hasSize(2);
    assertThatThrownBy(() -> EnvoyStream.request("POST /x", BODY)
            .requestMode(FULL_DUPLEX_STREAMED)
            .endOfStreamTwice()
            .through(mirror(true, false)))
        .isInstanceOf(BrokenRule.class)
        .hasMessageContaining("UNASKED");
  }

  @Test
  void a_client_that_goes_away_resets_the_stream() {
    var peer = mirror(true, true);
    EnvoyStream.request("POST /x", BODY)
        .chunked(1)
        .mode(FULL_DUPLEX_STREAMED)
        .respond(200, ANSWER)
        .cancelledAfter(3)
        .through(peer);
    assertThat(peer.sent).hasSize(3);
    assertThat(peer.wasReset()).isTrue();
    assertThat(peer.wasHalfClosed()).isFalse();
  }

  @Test
  void a_late_refusal_resets_the_client_where_the_test_allows_it() {
    EnvoyStream.request("GET /x")
        .responseMode(STREAMED)
        .allowReset()
        .respond(200, ANSWER)
        .through(new ScriptedPeer((message, answers) -> answers.say(
            message.hasResponseBody() ? Says.immediate(500) : Says.mirror(message, false))))
        .expectReset();
  }

  @Test
  void a_stream_that_the_processor_ends_goes_on_without_it() {
    var peer = new ScriptedPeer((message, answers) -> {
      answers.say(Says.mirror(message, false));
      answers.end();
    });
    EnvoyStream.request("POST /x", BODY)
        .mode(BUFFERED)
        .respond(200, ANSWER)
        .through(peer)
        .expectUpstreamBody(BODY)
        .expectBody(ANSWER);
    assertThat(peer.sent).hasSize(1);
  }

  @Test
  void a_stream_that_the_processor_fails_says_what_that_means() {
    assertThatThrownBy(() -> EnvoyStream.request("GET /x")
            .through(new ScriptedPeer((message, answers) -> answers.fail("INTERNAL: a bug"))))
        .isInstanceOf(StreamFailed.class)
        .hasMessageContaining("INTERNAL: a bug")
        .hasMessageContaining("the client gets status_on_error (500)");
  }

  @Test
  void more_time_is_granted_up_to_max_message_timeout() {
    var peer = new ScriptedPeer((message, answers) -> {
      answers.say(ProcessingResponse.newBuilder()
          .setOverrideMessageTimeout(com.google.protobuf.Duration.newBuilder().setSeconds(1)));
      answers.say(Says.mirror(message, false));
    });
    EnvoyStream.request("GET /x")
        .maxMessageTimeout(Duration.ofSeconds(2))
        .respond(200)
        .through(peer)
        .expectStatus(200);
  }

  @Test
  void a_failed_expectation_shows_where_bodies_differ_and_what_was_said() {
    assertThatThrownBy(() -> EnvoyStream.request("POST /x", "x".repeat(100) + "old")
            .mode(BUFFERED)
            .through(mirror(false, false))
            .expectUpstreamBody("x".repeat(100) + "new"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("103 bytes (expected: 103), they differ from byte 100")
        .hasMessageContaining("→ request_body 103 bytes end_of_stream\n    ← request_body");
    assertThatThrownBy(() -> EnvoyStream.request("GET /x")
            .through(mirror(false, false))
            .expectUpstreamHeader("x-a", "1"))
        .hasMessageContaining("the upstream's header x-a: [] (expected: [1])");
  }

  @Test
  void a_request_that_is_none_and_a_mode_that_envoy_refuses_are_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnvoyStream.request("/x"))
        .withMessageContaining("expected: a method and a path");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EnvoyFilter.Settings(
            ProcessingMode.newBuilder()
                .setRequestBodyMode(FULL_DUPLEX_STREAMED)
                .setRequestTrailerMode(HeaderSendMode.SKIP)
                .build(),
            false,
            false,
            true,
            false,
            1))
        .withMessageContaining("expected: trailer mode SEND");
  }

  @Test
  void a_service_is_served_for_as_long_as_the_exchange_takes() {
    EnvoyStream.request("POST /x", BODY)
        .chunked(3)
        .mode(STREAMED)
        .grpcMetadata("x-route", "orders")
        .respond(200, ANSWER)
        .through(new Mirror())
        .expectUpstreamBody(BODY)
        .expectBody(ANSWER);
  }

  @Test
  void an_answer_too_many_is_seen_at_the_end_of_the_stream_even_over_a_connection() {
    assertThatThrownBy(() -> EnvoyStream.request("GET /x").respond(200).through(new Mirror() {
          @Override
          void answer(ProcessingRequest message, StreamObserver<ProcessingResponse> answers) {
            super.answer(message, answers);
            if (message.hasResponseHeaders()) {
              super.answer(message, answers);
            }
          }
        }))
        .isInstanceOf(BrokenRule.class)
        .hasMessageContaining("UNASKED");
  }

  /** As one writes it with gRPC's stubs. */
  private static class Mirror extends ExternalProcessorGrpc.ExternalProcessorImplBase {
    void answer(ProcessingRequest message, StreamObserver<ProcessingResponse> answers) {
      answers.onNext(Says.mirror(message, false).build());
    }

    @Override
    public StreamObserver<ProcessingRequest> process(StreamObserver<ProcessingResponse> answers) {
      return new StreamObserver<>() {
        @Override
        public void onNext(ProcessingRequest message) {
          answer(message, answers);
        }

        @Override
        public void onError(Throwable reset) {}

        @Override
        public void onCompleted() {
          answers.onCompleted();
        }
      };
    }
  }

  private static ScriptedPeer mirror(boolean duplexRequest, boolean duplexResponse) {
    return new ScriptedPeer((message, answers) -> answers.say(
        Says.mirror(message, message.hasRequestBody() ? duplexRequest : duplexResponse)));
  }

  private static String attribute(ProcessingRequest message, String name) {
    return message
        .getAttributesOrThrow("envoy.filters.http.ext_proc")
        .getFieldsOrThrow(name)
        .getStringValue();
  }

  private static Struct text(String name, String value) {
    return Struct.newBuilder()
        .putFields(name, Value.newBuilder().setStringValue(value).build())
        .build();
  }

  @Test
  void bytes_stay_bytes() {
    var bytes = ByteString.copyFrom(new byte[] {(byte) 0xff, 0, (byte) 0xc3});
    EnvoyStream.request("POST /x", bytes)
        .mode(BUFFERED)
        .through(mirror(false, false))
        .expectUpstreamBody(bytes);
  }
}
