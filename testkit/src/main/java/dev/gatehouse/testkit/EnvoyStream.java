package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpTrailers;
import io.envoyproxy.envoy.service.ext_proc.v3.ImmediateResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Plays the ext_proc filter of an Envoy for one HTTP request: sends the messages that a test names, applies what is answered as
 * Envoy would, and throws an {@link AssertionError} that names the rule when an answer is one that Envoy would not take or would
 * drop without a word. Header modes SEND, body modes NONE and BUFFERED.
 */
public final class EnvoyStream {
  /** The way to the processor: over gRPC ({@link GrpcPeer}), or straight into it. */
  public interface Peer {
    void send(ProcessingRequest message);

    /**
     * The next answer. A peer behind a network waits for it; one that is called straight has it or has none.
     *
     * @return null when there is none, or the stream has ended well
     * @throws StreamFailed when it has ended with an error
     */
    @Nullable
    ProcessingResponse receive();

    /** Sends a message and takes its answer; null where none comes (observability mode, a kept chunk). */
    default @Nullable ProcessingResponse exchange(ProcessingRequest message) {
      send(message);
      return message.getObservabilityMode() ? null : receive();
    }
  }

  /** The processor ended the stream with an error. */
  public static final class StreamFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StreamFailed(String why) {
      super(why);
    }
  }

  /** A message as the steps have made it so far: what goes on to the upstream, or to the client. */
  public static final class Message {
    private record Header(String name, ByteString value) {}

    private final List<Header> headers = new ArrayList<>();
    private ByteString body = ByteString.EMPTY;
    private boolean replaced;

    /** All the values of a header, in order. */
    public List<String> values(String name) {
      return headers.stream()
          .filter(header -> header.name.equals(name))
          .map(header -> header.value.toStringUtf8())
          .toList();
    }

    public String body() {
      return body.toStringUtf8();
    }

    public ByteString bodyBytes() {
      return body;
    }

    /** Whether the body was replaced at the headers (CONTINUE_AND_REPLACE), so that no body is sent to the processor. */
    public boolean replaced() {
      return replaced;
    }

    void add(String name, ByteString value) {
      headers.add(new Header(name, value));
    }

    void remove(String name) {
      headers.removeIf(header -> header.name.equals(name));
    }

    /** Envoy heeds {@code append}, deprecated as it is, and not {@code append_action}. */
    @SuppressWarnings("deprecation")
    void apply(HeaderMutation mutation) {
      for (var name : mutation.getRemoveHeadersList()) {
        rule(isMutable(name), "Envoy drops the removal of " + name);
        headers.removeIf(header -> header.name.equals(name.toLowerCase(Locale.ROOT)));
      }
      for (var option : mutation.getSetHeadersList()) {
        var name = option.getHeader().getKey();
        var value = option.getHeader().getRawValue();
        rule(
            option.getHeader().getValue().isEmpty(),
            "only raw_value is read, `value` gives an empty header");
        rule(isMutable(name), "Envoy drops a change of " + name);
        rule(
            isValue(value),
            "an illegal character in " + name + " rejects the whole mutation (500)");
        var append = option.getAppend().getValue();
        rule(
            append == (option.getAppendActionValue() == 0),
            "append and append_action of " + name + " differ");
        if (!append) {
          headers.removeIf(header -> header.name.equals(name));
        }
        headers.add(new Header(name, value));
      }
    }

    private static boolean isMutable(String name) {
      return switch (name) {
        case "host", ":authority", ":scheme", ":method" -> false;
        default -> !name.startsWith("x-envoy-");
      };
    }

    private static boolean isValue(ByteString value) {
      for (var i = 0; i < value.size(); i++) {
        var c = value.byteAt(i);
        if (c == '\r' || c == '\n' || c == 0) {
          return false;
        }
      }
      return true;
    }
  }

  private final Peer peer;
  private final Struct.Builder attributes = Struct.newBuilder();
  private final Metadata.Builder metadata = Metadata.newBuilder();
  private @Nullable ProtocolConfiguration config;
  private boolean observed;
  private boolean first = true;

  private final Message request = new Message();
  private final Message response = new Message();
  private @Nullable ImmediateResponse immediate;

  public EnvoyStream(Peer peer) {
    this.peer = peer;
  }

  /** As {@code protocol_config} of the first message says; without it none is sent, as by an Envoy before 1.34. */
  public EnvoyStream bodies(BodySendMode request, BodySendMode response) {
    config = ProtocolConfiguration.newBuilder()
        .setRequestBodyMode(request)
        .setResponseBodyMode(response)
        .build();
    return this;
  }

  public EnvoyStream observed() {
    observed = true;
    return this;
  }

  /** Sent with the next headers message. */
  public EnvoyStream attribute(String name, String value) {
    attributes.putFields(name, Value.newBuilder().setStringValue(value).build());
    return this;
  }

  /** Dynamic metadata of another filter. */
  public EnvoyStream metadata(String namespace, Struct struct) {
    metadata.putFilterMetadata(namespace, struct);
    return this;
  }

  /** @param headers names and values in turn */
  public EnvoyStream requestHeaders(boolean endOfStream, String... headers) {
    var message =
        ProcessingRequest.newBuilder().setRequestHeaders(headers(request, endOfStream, headers));
    exchange(message, request);
    return this;
  }

  public EnvoyStream responseHeaders(boolean endOfStream, String... headers) {
    var message =
        ProcessingRequest.newBuilder().setResponseHeaders(headers(response, endOfStream, headers));
    exchange(message, response);
    return this;
  }

  public EnvoyStream requestBody(ByteString body, boolean endOfStream) {
    request.body = body;
    exchange(
        ProcessingRequest.newBuilder()
            .setRequestBody(HttpBody.newBuilder().setBody(body).setEndOfStream(endOfStream)),
        request);
    return this;
  }

  public EnvoyStream requestBody(String body) {
    return requestBody(ByteString.copyFromUtf8(body), true);
  }

  public EnvoyStream responseBody(ByteString body, boolean endOfStream) {
    response.body = body;
    exchange(
        ProcessingRequest.newBuilder()
            .setResponseBody(HttpBody.newBuilder().setBody(body).setEndOfStream(endOfStream)),
        response);
    return this;
  }

  public EnvoyStream responseBody(String body) {
    return responseBody(ByteString.copyFromUtf8(body), true);
  }

  public EnvoyStream requestTrailers() {
    exchange(
        ProcessingRequest.newBuilder().setRequestTrailers(HttpTrailers.getDefaultInstance()),
        request);
    return this;
  }

  public EnvoyStream responseTrailers() {
    exchange(
        ProcessingRequest.newBuilder().setResponseTrailers(HttpTrailers.getDefaultInstance()),
        response);
    return this;
  }

  /** What goes on to the upstream. */
  public Message upstream() {
    return request;
  }

  /** What goes on to the client, unless it is {@link #immediate}. */
  public Message client() {
    return response;
  }

  public Optional<ImmediateResponse> immediate() {
    return Optional.ofNullable(immediate);
  }

  private static HttpHeaders headers(Message message, boolean endOfStream, String... headers) {
    var map = HeaderMap.newBuilder();
    for (var i = 0; i < headers.length; i += 2) {
      var value = ByteString.copyFromUtf8(headers[i + 1]);
      message.headers.add(new Message.Header(headers[i], value));
      map.addHeaders(HeaderValue.newBuilder().setKey(headers[i]).setRawValue(value));
    }
    return HttpHeaders.newBuilder().setHeaders(map).setEndOfStream(endOfStream).build();
  }

  private void exchange(ProcessingRequest.Builder message, Message about) {
    rule(immediate == null, "the test sends a message after an immediate response");
    rule(!about.replaced, "the test sends a message after CONTINUE_AND_REPLACE");
    message.setMetadataContext(metadata);
    if (attributes.getFieldsCount() > 0) {
      message.putAttributes("envoy.filters.http.ext_proc", attributes.build());
      attributes.clear();
    }
    message.setObservabilityMode(observed);
    if (first && config != null) {
      message.setProtocolConfig(config);
    }
    first = false;
    var sent = message.build();
    var answer = peer.exchange(sent);
    if (observed) {
      rule(answer == null, "nothing may be answered in observability mode");
      return;
    }
    rule(answer != null, "the message was not answered: it would time out (504)");
    if (answer != null) {
      take(sent, answer, about);
    }
  }

  private void take(ProcessingRequest sent, ProcessingResponse answer, Message about) {
    rule(!answer.hasModeOverride(), "mode_override is not granted here");
    switch (answer.getResponseCase()) {
      case IMMEDIATE_RESPONSE -> takeImmediate(answer.getImmediateResponse());
      case REQUEST_HEADERS -> {
        rule(
            sent.hasRequestHeaders(), "spurious: request_headers answers " + sent.getRequestCase());
        takeHeaders(answer.getRequestHeaders().getResponse(), about);
      }
      case RESPONSE_HEADERS -> {
        rule(
            sent.hasResponseHeaders(),
            "spurious: response_headers answers " + sent.getRequestCase());
        takeHeaders(answer.getResponseHeaders().getResponse(), about);
      }
      case REQUEST_BODY -> {
        rule(sent.hasRequestBody(), "spurious: request_body answers " + sent.getRequestCase());
        takeBody(answer.getRequestBody().getResponse(), about);
      }
      case RESPONSE_BODY -> {
        rule(sent.hasResponseBody(), "spurious: response_body answers " + sent.getRequestCase());
        takeBody(answer.getResponseBody().getResponse(), about);
      }
      case REQUEST_TRAILERS ->
        rule(
            sent.hasRequestTrailers(),
            "spurious: request_trailers answers " + sent.getRequestCase());
      case RESPONSE_TRAILERS ->
        rule(
            sent.hasResponseTrailers(),
            "spurious: response_trailers answers " + sent.getRequestCase());
      case RESPONSE_NOT_SET -> rule(false, "spurious: the oneof is not set");
    }
  }

  private void takeImmediate(ImmediateResponse answer) {
    rule(answer.getStatus().getCodeValue() >= 200, "a status below 200 becomes 200");
    new Message().apply(answer.getHeaders());
    immediate = answer;
  }

  private static void takeHeaders(CommonResponse answer, Message about) {
    rule(!answer.getClearRouteCache(), "the route cache is never cleared");
    about.apply(answer.getHeaderMutation());
    if (answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE) {
      about.replaced = true;
      about.headers.removeIf(header -> header.name.equals("content-length"));
      about.body = answer.getBodyMutation().getBody();
    } else {
      rule(
          !answer.hasBodyMutation(),
          "a body mutation in an answer to headers needs CONTINUE_AND_REPLACE");
    }
  }

  private void takeBody(CommonResponse answer, Message about) {
    rule(!answer.getClearRouteCache(), "the route cache is never cleared");
    rule(
        answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE,
        "CONTINUE_AND_REPLACE is for answers to headers");
    about.apply(answer.getHeaderMutation());
    if (!answer.hasBodyMutation()) {
      return;
    }
    rule(
        answer.getBodyMutation().getMutationCase() == BodyMutation.MutationCase.BODY,
        "only `body` is legal under BUFFERED, not " + answer.getBodyMutation().getMutationCase());
    about.body = answer.getBodyMutation().getBody();
    var length = about.values("content-length");
    rule(
        length.isEmpty() || length.equals(List.of(Integer.toString(about.body.size()))),
        "content-length " + length + " is not the new body's length, " + about.body.size()
            + " (500)");
  }

  static void rule(boolean kept, String rule) {
    if (!kept) {
      throw new AssertionError("Envoy's rule: " + rule);
    }
  }
}
