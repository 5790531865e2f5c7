package dev.gatehouse.testkit;

import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.BUFFERED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.FULL_DUPLEX_STREAMED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.NONE;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.STREAMED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.testkit.ScriptedPeer.Answers;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse.ResponseStatus;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** For every rule a processor that breaks it, and what it is told. */
class BrokenRulesTest {
  /** @param says what the message must tell of this very break */
  private record Break(
      EnvoyExchange exchange, BiConsumer<ProcessingRequest, Answers> by, String says) {}

  private static final String BODY = "0123456789";

  @TestFactory
  Stream<DynamicTest> every_rule_is_named_with_what_happened_and_how_to_keep_it() {
    var breaks = breaks();
    assertThat(breaks).as("rules without a test").containsOnlyKeys(Rule.values());
    return breaks.entrySet().stream()
        .map(entry -> DynamicTest.dynamicTest(
            entry.getKey().name(), () -> check(entry.getKey(), entry.getValue())));
  }

  private static void check(Rule rule, Break broken) {
    var peer = new ScriptedPeer(broken.by);
    var thrown = catchThrowableOfType(BrokenRule.class, () -> broken.exchange.through(peer));
    assertThat(thrown).as("nothing was said about " + rule).isNotNull();
    assertThat(thrown.rule()).as(thrown.getMessage()).isEqualTo(rule);
    assertThat(thrown)
        .hasMessageContaining("Envoy's rule " + rule + ": " + rule.holds())
        .hasMessageContaining("but: ")
        .hasMessageContaining(broken.says)
        .hasMessageContaining("instead: " + rule.instead())
        .hasMessageContaining("said on the stream:\n    → ");
    assertThat(peer.wasReset()).as("the stream is left open").isTrue();
  }

  private static Map<Rule, Break> breaks() {
    var all = new EnumMap<Rule, Break>(Rule.class);
    all.put(
        Rule.UNSET_ONEOF,
        new Break(
            get(),
            (message, answers) -> answers.say(ProcessingResponse.newBuilder()),
            "none of them set"));
    all.put(
        Rule.MIRROR,
        new Break(
            post().mode(BUFFERED),
            (message, answers) -> answers.say(Says.body(
                message.toBuilder()
                    .clearRequest()
                    .setRequestBody(
                        io.envoyproxy.envoy.service.ext_proc.v3.HttpBody.getDefaultInstance())
                    .build(),
                CommonResponse.getDefaultInstance())),
            "a request_body answer comes while Envoy waits for request_headers"));
    all.put(
        Rule.UNASKED,
        new Break(
            get(),
            (message, answers) -> {
              answers.say(Says.mirror(message, false));
              answers.say(Says.mirror(message, false));
            },
            "a request_headers answer comes while Envoy waits for nothing of the request"));
    all.put(
        Rule.ONE_ANSWER_A_CHUNK,
        new Break(
            post().chunked(4).mode(STREAMED),
            (message, answers) -> {
              answers.say(Says.mirror(message, false));
              if (message.hasRequestBody()) {
                answers.say(Says.mirror(message, false));
              }
            },
            "an answer more than there were chunks of the request"));
    all.put(
        Rule.STREAMED_RESPONSE_NEEDS_FULL_DUPLEX,
        new Break(
            post().mode(BUFFERED),
            (message, answers) -> answers.say(Says.mirror(message, true)),
            "streamed_response under BUFFERED"));
    all.put(
        Rule.FULL_DUPLEX_NEEDS_STREAMED_RESPONSE,
        new Break(
            post().mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> answers.say(Says.mirror(message, false)),
            "the request_body is answered by no body_mutation"));
    all.put(
        Rule.HEADERS_BEFORE_BODY,
        new Break(
            post().mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> {
              if (message.hasRequestBody()) {
                answers.say(Says.mirror(message, true));
              }
            },
            "a request_body answer comes while Envoy waits for request_headers"));
    all.put(
        Rule.END_OF_STREAM,
        new Break(
            post().chunked(4).mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> {
              if (!message.hasRequestBody() || !message.getRequestBody().getEndOfStream()) {
                answers.say(Says.mirror(message, true));
              }
            },
            "of 10 bytes of the request 8 came back, and no end_of_stream"));
    all.put(
        Rule.NO_END_OF_STREAM_BEFORE_TRAILERS,
        new Break(
            post().trailer("x-sum", "1").mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.chunk(message, message.getRequestBody().getBody(), true)
                    : Says.mirror(message, true)),
            "a chunk of the request had end_of_stream, and now its trailers come"));
    all.put(
        Rule.CHUNK_SIZE,
        new Break(
            EnvoyStream.request("POST /x", ByteString.copyFrom(new byte[62_001]))
                .mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> answers.say(Says.mirror(message, true)),
            "a chunk of the request has 62001 bytes"));
    all.put(
        Rule.AFTER_THE_END,
        new Break(
            post().chunked(5).mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.chunk(message, message.getRequestBody().getBody(), true)
                    : Says.mirror(message, true)),
            "5 bytes after the end of the request"));
    all.put(
        Rule.CONTENT_LENGTH,
        new Break(
            post().mode(BUFFERED),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.body(message, "shorter")
                    : Says.mirror(message, false)),
            "the request says content-length [10], its new body has 7 bytes"));
    all.put(
        Rule.STALE_CONTENT_LENGTH,
        new Break(
            post().allowModeOverride(),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.body(message, "shorter")
                    : Says.mirror(message, false)
                        .setModeOverride(ProcessingMode.newBuilder().setRequestBodyMode(STREAMED))),
            "the request says content-length 10 and has 7 bytes"));
    all.put(Rule.RAW_VALUE, header(value("x-a", "1"), "x-a is set in `value`"));
    all.put(
        Rule.APPEND,
        header(appending("x-a"), "x-a has append false and append_action APPEND_IF_EXISTS_OR_ADD"));
    all.put(Rule.IMMUTABLE_HEADER, header(Says.set(":authority", "b"), ":authority is set"));
    all.put(
        Rule.HEADER_CHARACTERS,
        header(Says.set("x-a", "a\r\nb: c"), "an illegal character in x-a"));
    all.put(Rule.HEADER_COUNT, header(many(), "headers after 0 removals and 101 sets"));
    all.put(
        Rule.BODY_TO_HEADERS,
        new Break(
            get(),
            (message, answers) ->
                answers.say(Says.headers(message, Says.newBody("new").build())),
            "the request_headers are answered with a body_mutation"));
    all.put(
        Rule.REPLACE_AT_HEADERS,
        new Break(
            post().mode(BUFFERED),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.body(
                        message,
                        Says.newBody(BODY)
                            .setStatus(ResponseStatus.CONTINUE_AND_REPLACE)
                            .build())
                    : Says.mirror(message, false)),
            "the request_body is answered with CONTINUE_AND_REPLACE"));
    all.put(
        Rule.HEADERS_HAVE_GONE,
        new Break(
            post().mode(STREAMED),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.body(
                        message,
                        CommonResponse.newBuilder()
                            .setHeaderMutation(Says.set("x-a", "1"))
                            .build())
                    : Says.mirror(message, false)),
            "the request_body is answered with a header_mutation under STREAMED"));
    all.put(
        Rule.IMMEDIATE_STATUS,
        new Break(get(), (message, answers) -> answers.say(Says.immediate(0)), "its status is 0"));
    all.put(
        Rule.IMMEDIATE_IN_TIME,
        new Break(
            get().mode(STREAMED).respond(200, BODY),
            (message, answers) -> answers.say(
                message.hasResponseBody() ? Says.immediate(403) : Says.mirror(message, false)),
            "a response with status 403 came when the headers had gone"));
    all.put(
        Rule.MODE_OVERRIDE_AT_HEADERS,
        new Break(
            post().mode(BUFFERED).allowModeOverride(),
            (message, answers) -> answers.say(
                message.hasRequestBody()
                    ? Says.mirror(message, false).setModeOverride(ProcessingMode.newBuilder())
                    : Says.mirror(message, false)),
            "mode_override comes with REQUEST_BODY"));
    all.put(
        Rule.MODE_OVERRIDE_ALLOWED,
        new Break(
            get(),
            (message, answers) -> answers.say(Says.mirror(message, false)
                .setModeOverride(ProcessingMode.newBuilder().setResponseBodyMode(BUFFERED))),
            "mode_override asks for NONE and BUFFERED"));
    all.put(
        Rule.MODE_OVERRIDE_AND_FULL_DUPLEX,
        new Break(
            get().responseMode(FULL_DUPLEX_STREAMED).allowModeOverride(),
            (message, answers) -> answers.say(
                Says.mirror(message, true).setModeOverride(ProcessingMode.newBuilder())),
            "from NONE and FULL_DUPLEX_STREAMED to NONE and NONE"));
    all.put(
        Rule.TIME_ALONE,
        new Break(
            get().maxMessageTimeout(java.time.Duration.ofSeconds(1)),
            (message, answers) ->
                answers.say(Says.mirror(message, false).setOverrideMessageTimeout(seconds())),
            "override_message_timeout comes with REQUEST_HEADERS"));
    all.put(
        Rule.TIME_ONCE,
        new Break(
            get().maxMessageTimeout(java.time.Duration.ofSeconds(1)),
            (message, answers) -> {
              answers.say(ProcessingResponse.newBuilder().setOverrideMessageTimeout(seconds()));
              answers.say(ProcessingResponse.newBuilder().setOverrideMessageTimeout(seconds()));
            },
            "it was asked before, for the same answer"));
    all.put(
        Rule.IN_TIME,
        new Break(
            get().messageTimeout(java.time.Duration.ofMillis(200)),
            (message, answers) -> {},
            "no answer to request_headers within PT0.2S"));
    all.put(
        Rule.OBSERVED,
        new Break(
            get().observed(),
            (message, answers) -> answers.say(Says.mirror(message, false)),
            "there is an answer: REQUEST_HEADERS"));
    all.put(
        Rule.DRAINED,
        new Break(
            post().chunked(5).mode(FULL_DUPLEX_STREAMED),
            (message, answers) -> {
              if (message.hasRequestBody()) {
                answers.end();
              } else {
                answers.say(Says.mirror(message, true));
              }
            },
            "of 5 bytes of the request 0 came back before the processor ended its stream"));
    all.put(
        Rule.METADATA_RECEIVED,
        new Break(
            get().receivingMetadata("mine"),
            (message, answers) -> answers.say(Says.mirror(message, false)
                .setDynamicMetadata(Struct.newBuilder()
                    .putFields(
                        "other",
                        Value.newBuilder()
                            .setStructValue(Struct.getDefaultInstance())
                            .build()))),
            "dynamic_metadata is told to other, received are [mine]"));
    all.put(
        Rule.ROUTE_CACHE,
        new Break(
            get(),
            (message, answers) -> answers.say(Says.headers(
                message,
                CommonResponse.newBuilder()
                    .setHeaderMutation(Says.set(":path", "/other"))
                    .setClearRouteCache(true)
                    .build())),
            "clear_route_cache is set"));
    return all;
  }

  private static EnvoyExchange get() {
    return EnvoyStream.request("GET /x").mode(NONE).respond(200);
  }

  private static EnvoyExchange post() {
    return EnvoyStream.request("POST /x", BODY);
  }

  private static Break header(HeaderMutation.Builder mutation, String says) {
    return new Break(
        get(), (message, answers) -> answers.say(Says.headers(message, mutation)), says);
  }

  private static HeaderMutation.Builder value(String name, String value) {
    var mutation = Says.set(name, "");
    mutation.getSetHeadersBuilder(0).getHeaderBuilder().setValue(value);
    return mutation;
  }

  /** As one would say it: what Envoy heeds is {@code append}, which is unset. */
  private static HeaderMutation.Builder appending(String name) {
    var mutation = Says.set(name, "1");
    mutation.getSetHeadersBuilder(0).setAppendAction(HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD);
    return mutation;
  }

  private static HeaderMutation.Builder many() {
    var mutation = HeaderMutation.newBuilder();
    for (var i = 0; i < 101; i++) {
      mutation.addAllSetHeaders(Says.set("x-" + i, "1").getSetHeadersList());
    }
    return mutation;
  }

  private static Duration.Builder seconds() {
    return Duration.newBuilder().setSeconds(1);
  }
}
