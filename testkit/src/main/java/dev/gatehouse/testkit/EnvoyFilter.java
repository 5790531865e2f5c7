package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ImmediateResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Envoy's ext_proc filter for one HTTP request, as a model: what comes from the client and the upstream goes in as headers, data and
 * trailers, and becomes the messages that the filter would send in its modes; what the processor answers is taken as the filter would
 * take it (Envoy 1.37 to 1.40). An answer that it would count as spurious, reject or drop without a word is a {@link BrokenRule}.
 *
 * <p>Answers may come whenever they like: the model keeps what the filter keeps while it waits.
 */
public final class EnvoyFilter {
  /** What becomes of a {@code mode_override}. */
  public enum Overrides {
    HEEDED,
    /** Ignored without a word, as Envoy does without {@code allow_mode_override}: for processors that bear both. */
    IGNORED,
    /** A broken rule: for processors that would never know. */
    FORBIDDEN
  }

  /**
   * The filter's configuration on a route.
   *
   * @param sendsConfig {@code protocol_config} is sent (Envoy ≥ 1.34)
   * @param early {@code send_body_without_waiting_for_header_response}: STREAMED chunks do not wait for the answer to headers
   * @param bufferLimit where BUFFERED_PARTIAL sends what it has, in bytes
   * @param receives {@code metadata_options.receiving_namespaces.untyped}; {@link #ANY}: whatever is told
   * @param clearsRoutes {@code clear_route_cache} is meant
   */
  public record Settings(
      ProcessingMode mode,
      Overrides overrides,
      boolean observability,
      boolean sendsConfig,
      boolean early,
      int bufferLimit,
      Set<String> receives,
      boolean clearsRoutes) {
    public static final Set<String> ANY = Set.of("*");

    /** @throws IllegalArgumentException where Envoy would refuse the configuration */
    public Settings {
      if (lacksTrailers(mode.getRequestBodyMode(), mode.getRequestTrailerMode())
          || lacksTrailers(mode.getResponseBodyMode(), mode.getResponseTrailerMode())) {
        throw new IllegalArgumentException(
            "FULL_DUPLEX_STREAMED without trailers (expected: trailer mode SEND; Envoy refuses it otherwise)");
      }
    }

    /** Of a stream whose overrides are heeded or ignored, and whose metadata is taken whatever its namespace. */
    public Settings(
        ProcessingMode mode,
        boolean allowModeOverride,
        boolean observability,
        boolean sendsConfig,
        boolean early,
        int bufferLimit) {
      this(
          mode,
          allowModeOverride ? Overrides.HEEDED : Overrides.IGNORED,
          observability,
          sendsConfig,
          early,
          bufferLimit,
          ANY,
          false);
    }

    Settings with(ProcessingMode other) {
      return new Settings(
          other, overrides, observability, sendsConfig, early, bufferLimit, receives, clearsRoutes);
    }

    Settings telling(boolean modes) {
      return new Settings(
          mode, overrides, observability, modes, early, bufferLimit, receives, clearsRoutes);
    }

    Settings observing() {
      return new Settings(
          mode, overrides, true, sendsConfig, early, bufferLimit, receives, clearsRoutes);
    }

    public boolean allowModeOverride() {
      return overrides == Overrides.HEEDED;
    }

    private static boolean lacksTrailers(BodySendMode body, HeaderSendMode trailers) {
      return body == BodySendMode.FULL_DUPLEX_STREAMED && trailers != HeaderSendMode.SEND;
    }
  }

  /** One direction, and what has gone on from it. */
  public sealed interface Side permits FilterSide {
    /** The message as it goes on: headers that are held are what they are so far, the body is what has gone. */
    HttpMessage message();

    /** What has gone on of the body. */
    ByteString passed();

    /** Whether the body that has gone on is all of it. */
    boolean ended();

    /** Whether the headers have gone on, so that the other end may act on them. */
    boolean headersGone();

    /** Whether an answer is waited for. */
    boolean waiting();

    /**
     * Sends the end of the stream once more, as Envoy ≥ 1.35 may do under FULL_DUPLEX_STREAMED; it waits for no answer to that.
     *
     * @return whether it does: after a body that has ended without trailers, once
     */
    boolean endsAgain();
  }

  private final Settings settings;
  private final FilterMessages messages;
  private final FilterSide request;
  private final FilterSide response;
  private final Struct.Builder told = Struct.newBuilder();
  private boolean over;
  private boolean reset;
  private @Nullable ImmediateResponse immediate;
  private @Nullable ProcessingMode override;

  /** @param network takes the messages, in order */
  public EnvoyFilter(Settings settings, Consumer<ProcessingRequest> network) {
    this(settings, "via_upstream", network);
  }

  /** @param codeDetails of the response, as an attribute; {@code via_upstream}, or else a local reply */
  public EnvoyFilter(Settings settings, String codeDetails, Consumer<ProcessingRequest> network) {
    this(
        settings,
        Struct.getDefaultInstance(),
        Struct.newBuilder()
            .putFields(
                "response.code_details",
                Value.newBuilder().setStringValue(codeDetails).build())
            .build(),
        network);
  }

  /**
   * @param requestAttributes sent once, with the first message of that direction, if there are any
   * @param responseAttributes as well
   */
  public EnvoyFilter(
      Settings settings,
      Struct requestAttributes,
      Struct responseAttributes,
      Consumer<ProcessingRequest> network) {
    this.settings = settings;
    messages = new FilterMessages(settings, requestAttributes, responseAttributes, network);
    request = new FilterSide(true, settings, messages);
    response = new FilterSide(false, settings, messages);
  }

  /** @param headers names and values in turn */
  public void requestHeaders(boolean end, String... headers) {
    request.headers(end, headers);
  }

  public void requestData(ByteString data, boolean end) {
    request.data(data, end);
  }

  public void requestTrailers(String... fields) {
    request.trailers(fields);
  }

  public void responseHeaders(boolean end, String... headers) {
    response.headers(end, headers);
  }

  public void responseData(ByteString data, boolean end) {
    response.data(data, end);
  }

  public void responseTrailers(String... fields) {
    response.trailers(fields);
  }

  /** Dynamic metadata of another filter, sent with every message from now on. */
  public void forward(String namespace, Struct fields) {
    messages.forward(namespace, fields);
  }

  public Side request() {
    return request;
  }

  public Side response() {
    return response;
  }

  /** For {@link EnvoyStream}, which waits as Envoy does and looks for what is missing at the end. */
  FilterSide side(boolean isRequest) {
    return isRequest ? request : response;
  }

  /** What the client gets instead; null while there is none. */
  public @Nullable ImmediateResponse immediate() {
    return immediate;
  }

  /** Whether the processor is asked no more: it ended its stream, or answered the client. */
  boolean isOver() {
    return over;
  }

  /** Whether the immediate response came too late, so that the client's stream is reset. */
  public boolean reset() {
    return reset;
  }

  /** What was told to the filters after this one, by namespace. */
  public Struct told() {
    return told.build();
  }

  /** The mode that the last heeded override led to; null if none was heeded. */
  public @Nullable ProcessingMode override() {
    return override;
  }

  /** The processor ended its stream well: the filter asks it no more. */
  public void closed() {
    if (over) {
      return;
    }
    over = true;
    request.bypass();
    response.bypass();
  }

  /** An answer came. */
  public void take(ProcessingResponse answer) {
    Rule.OBSERVED.keep(!settings.observability, "there is an answer: " + answer.getResponseCase());
    if (over) {
      return;
    }
    if (answer.hasOverrideMessageTimeout()) {
      takeTime(answer);
      return;
    }
    takeMode(answer);
    takeMetadata(answer);
    switch (answer.getResponseCase()) {
      case IMMEDIATE_RESPONSE -> takeImmediate(answer.getImmediateResponse());
      case REQUEST_HEADERS -> request.takeHeaders(answer.getRequestHeaders().getResponse());
      case RESPONSE_HEADERS -> response.takeHeaders(answer.getResponseHeaders().getResponse());
      case REQUEST_BODY -> request.takeBody(answer.getRequestBody().getResponse());
      case RESPONSE_BODY -> response.takeBody(answer.getResponseBody().getResponse());
      case REQUEST_TRAILERS -> request.takeTrailers(answer.getRequestTrailers());
      case RESPONSE_TRAILERS -> response.takeTrailers(answer.getResponseTrailers());
      case RESPONSE_NOT_SET ->
        throw Rule.UNSET_ONEOF.broken("an answer comes with none of them set");
    }
  }

  private void takeTime(ProcessingResponse answer) {
    Rule.TIME_ALONE.keep(
        answer.getResponseCase() == ProcessingResponse.ResponseCase.RESPONSE_NOT_SET
            && !answer.hasDynamicMetadata()
            && !answer.hasModeOverride(),
        "override_message_timeout comes with " + answer.getResponseCase());
    var side = request.waiting() && !request.asked().duplex() ? request : response;
    side.asked().takeTime();
  }

  private void takeMode(ProcessingResponse answer) {
    var mode = ModeOverrides.of(answer, settings);
    if (mode != null) {
      override = mode;
      request.asked().use(mode);
      response.asked().use(mode);
    }
  }

  private void takeMetadata(ProcessingResponse answer) {
    answer.getDynamicMetadata().getFieldsMap().forEach((namespace, fields) -> {
      Rule.METADATA_RECEIVED.keep(
          settings.receives.contains("*") || settings.receives.contains(namespace),
          "dynamic_metadata is told to " + namespace + ", received are " + settings.receives);
      var both =
          told
              .getFieldsOrDefault(namespace, Value.getDefaultInstance())
              .getStructValue()
              .toBuilder()
              .putAllFields(fields.getStructValue().getFieldsMap());
      told.putFields(namespace, Value.newBuilder().setStructValue(both).build());
    });
  }

  private void takeImmediate(ImmediateResponse answer) {
    var status = answer.getStatus().getCodeValue();
    Rule.IMMEDIATE_STATUS.keep(status >= 200, "its status is " + status);
    new HttpMessage().apply(answer.getHeaders(), false, false);
    immediate = answer;
    reset = response.headersGone();
    over = true;
    request.stop();
    response.stop();
  }
}
