package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.testkit.EnvoyStream.Message;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpTrailers;
import io.envoyproxy.envoy.service.ext_proc.v3.ImmediateResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Envoy's ext_proc filter for one HTTP request, as a model: what comes from the client and the upstream goes in as headers, data and
 * trailers, and becomes the messages that the filter would send in its modes; what the processor answers is taken as the filter would
 * take it (Envoy 1.37 to 1.40). An answer that it would count as spurious, reject or drop without a word is an {@link AssertionError}
 * that names the rule.
 *
 * <p>Answers may come whenever they like: the model keeps what the filter keeps while it waits.
 */
public final class EnvoyFilter {
  /**
   * The filter's configuration on a route.
   *
   * @param bufferLimit where BUFFERED_PARTIAL sends what it has, in bytes
   * @param sendsConfig {@code protocol_config} is sent (Envoy ≥ 1.34)
   * @param early {@code send_body_without_waiting_for_header_response}: STREAMED chunks do not wait for the answer to headers
   */
  public record Settings(
      ProcessingMode mode,
      boolean allowModeOverride,
      boolean observability,
      boolean sendsConfig,
      boolean early,
      int bufferLimit) {}

  /** What the filter waits for in one direction. */
  private enum Waits {
    NOTHING,
    HEADERS,
    BUFFERED_BODY,
    STREAMED_BODY,
    PARTIAL_BODY,
    TRAILERS
  }

  private record Chunk(ByteString data, boolean end) {}

  /** One direction, and what has gone on from it. */
  public final class Side {
    private final boolean isRequest;
    private final Message message = new Message();
    private final Queue<Chunk> queue = new ArrayDeque<>();
    private BodySendMode mode = BodySendMode.NONE;
    private boolean sendHeaders = true;
    private boolean sendTrailers;
    private Waits waits = Waits.NOTHING;
    private @Nullable ByteString buffered;
    private boolean headersGone;
    private boolean noBody;
    private boolean complete;
    private boolean bodyReceived;
    private boolean replaced;
    private boolean partialDone;
    private boolean trailersCame;
    private boolean trailersSent;
    private boolean moreTime;
    private boolean attributesSent;
    private ByteString out = ByteString.EMPTY;
    private boolean outEnded;
    private boolean trailersOut;

    private Side(boolean isRequest) {
      this.isRequest = isRequest;
    }

    /** The headers as they go on, or will. */
    public Message message() {
      return message;
    }

    /** What has gone on of the body. */
    public ByteString passed() {
      return out;
    }

    /** Whether the body that has gone on is all of it. */
    public boolean ended() {
      return outEnded || trailersOut;
    }

    /** Whether the headers have gone on, so that the other end may act on them. */
    public boolean headersGone() {
      return headersGone;
    }

    /** Whether an answer is waited for. */
    public boolean waiting() {
      return waits != Waits.NOTHING;
    }

    private boolean duplex() {
      return mode == BodySendMode.FULL_DUPLEX_STREAMED;
    }

    private boolean stripsLength() {
      return mode != BodySendMode.NONE && mode != BodySendMode.BUFFERED;
    }

    private void mode(ProcessingMode all) {
      mode = isRequest ? all.getRequestBodyMode() : all.getResponseBodyMode();
      sendHeaders = (isRequest ? all.getRequestHeaderMode() : all.getResponseHeaderMode())
          != HeaderSendMode.SKIP;
      sendTrailers = (isRequest ? all.getRequestTrailerMode() : all.getResponseTrailerMode())
          == HeaderSendMode.SEND;
    }

    private void headers(boolean end, String... headers) {
      var map = HeaderMap.newBuilder();
      for (var i = 0; i < headers.length; i += 2) {
        var value = ByteString.copyFromUtf8(headers[i + 1]);
        message.add(headers[i], value);
        map.addHeaders(HeaderValue.newBuilder().setKey(headers[i]).setRawValue(value));
      }
      complete |= end;
      noBody = end;
      if (sendHeaders && !over) {
        var sent = HttpHeaders.newBuilder().setHeaders(map).setEndOfStream(end);
        send(
            isRequest
                ? ProcessingRequest.newBuilder().setRequestHeaders(sent)
                : ProcessingRequest.newBuilder().setResponseHeaders(sent));
        if (!settings.observability) {
          waits = Waits.HEADERS;
          moreTime = false;
        }
      }
      if (stripsLength() && !settings.observability && !over) {
        message.remove("content-length");
      }
      if (waits == Waits.NOTHING) {
        headersGone = mode == BodySendMode.NONE || mode == BodySendMode.STREAMED || noBody;
        outEnded |= end;
      }
    }

    private void data(ByteString data, boolean end) {
      bodyReceived = true;
      if (settings.observability) {
        if (mode == BodySendMode.STREAMED) {
          send(body(data, end));
        }
        pass(data, end);
        return;
      }
      complete |= end;
      if (replaced) {
        return;
      }
      if (over) {
        pass(data, end);
        return;
      }
      if (waits == Waits.HEADERS
          && !duplex()
          && !(mode == BodySendMode.STREAMED && settings.early)) {
        hold(data);
        return;
      }
      switch (mode) {
        case NONE, UNRECOGNIZED -> pass(data, end);
        case BUFFERED -> {
          hold(data);
          if (end) {
            sendBuffered(true, Waits.BUFFERED_BODY);
          }
        }
        case STREAMED -> {
          queue.add(new Chunk(data, end));
          sendChunk(data, end);
        }
        case FULL_DUPLEX_STREAMED -> sendChunk(data, end);
        case BUFFERED_PARTIAL -> partial(data, end);
      }
    }

    private void partial(ByteString data, boolean end) {
      if (partialDone) {
        pass(data, end);
        return;
      }
      queue.add(new Chunk(data, end));
      if (waits != Waits.PARTIAL_BODY && (end || queuedBytes() > settings.bufferLimit)) {
        sendQueue(end);
      }
    }

    private void trailers() {
      trailersCame = true;
      if (over) {
        trailersOut = true;
        return;
      }
      if (settings.observability) {
        if (sendTrailers) {
          sendTrailers();
        }
        trailersOut = true;
        return;
      }
      var delivered = complete;
      complete = true;
      if (waits != Waits.NOTHING && !duplex()) {
        return;
      }
      if (!delivered && buffered != null && mode == BodySendMode.BUFFERED) {
        sendBuffered(false, Waits.BUFFERED_BODY);
      } else if (!delivered && !queue.isEmpty() && mode == BodySendMode.BUFFERED_PARTIAL) {
        sendQueue(false);
      } else if (sendTrailers) {
        sendTrailers();
      } else {
        trailersOut = true;
      }
    }

    private void hold(ByteString data) {
      buffered = buffered == null ? data : buffered.concat(data);
    }

    private int queuedBytes() {
      return queue.stream().mapToInt(chunk -> chunk.data.size()).sum();
    }

    private void sendChunk(ByteString data, boolean end) {
      send(body(data, end));
      if (waits != Waits.HEADERS) {
        waits = Waits.STREAMED_BODY;
      }
      moreTime = false;
    }

    private void sendBuffered(boolean end, Waits next) {
      send(body(buffered == null ? ByteString.EMPTY : buffered, end));
      waits = next;
      moreTime = false;
    }

    /** One message of all that is queued. */
    private void sendQueue(boolean end) {
      var all = ByteString.EMPTY;
      for (var chunk : queue) {
        all = all.concat(chunk.data);
      }
      queue.clear();
      queue.add(new Chunk(all, end));
      send(body(all, end));
      waits = Waits.PARTIAL_BODY;
      moreTime = false;
    }

    private void sendTrailers() {
      if (trailersSent) {
        return;
      }
      trailersSent = true;
      if (waits == Waits.NOTHING && !settings.observability) {
        waits = Waits.TRAILERS;
      }
      moreTime = false;
      var sent = HttpTrailers.newBuilder()
          .setTrailers(HeaderMap.newBuilder()
              .addHeaders(HeaderValue.newBuilder()
                  .setKey("x-trailer")
                  .setRawValue(ByteString.copyFromUtf8("t"))));
      send(
          isRequest
              ? ProcessingRequest.newBuilder().setRequestTrailers(sent)
              : ProcessingRequest.newBuilder().setResponseTrailers(sent));
    }

    private ProcessingRequest.Builder body(ByteString data, boolean end) {
      var sent = HttpBody.newBuilder().setBody(data).setEndOfStream(end);
      return isRequest
          ? ProcessingRequest.newBuilder().setRequestBody(sent)
          : ProcessingRequest.newBuilder().setResponseBody(sent);
    }

    private void pass(ByteString data, boolean end) {
      EnvoyStream.rule(!outEnded || data.isEmpty(), "bytes after the end of the stream");
      out = out.concat(data);
      outEnded |= end;
    }

    private void takeHeaders(CommonResponse answer) {
      EnvoyStream.rule(
          waits == Waits.HEADERS, "spurious: headers are answered while it waits for " + waits);
      EnvoyStream.rule(!answer.getClearRouteCache(), "the route cache is never cleared");
      message.apply(answer.getHeaderMutation());
      if (answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE) {
        message.remove("content-length");
        replaced = true;
        waits = Waits.NOTHING;
        mode = BodySendMode.NONE;
        sendTrailers = false;
        queue.clear();
        buffered = null;
        headersGone = true;
        pass(answer.getBodyMutation().getBody(), true);
        trailersOut |= trailersCame;
        return;
      }
      EnvoyStream.rule(
          !answer.hasBodyMutation(),
          "a body mutation in an answer to headers needs CONTINUE_AND_REPLACE");
      waits = afterHeaders();
      if (!noBody && complete && mode != BodySendMode.NONE) {
        if (waits != Waits.NOTHING) {
          headersGone = true;
          return; // An answer to a body that has come is waited for.
        }
        if (buffered != null) {
          sendBuffered(!trailersCame, Waits.BUFFERED_BODY);
          return;
        }
      } else if (!noBody) {
        switch (mode) {
          case BUFFERED -> {
            return; // The headers may still be changed with the body.
          }
          case STREAMED -> {
            headersGone = true;
            if (buffered != null) {
              var held = buffered;
              buffered = null;
              queue.add(new Chunk(held, false));
              sendChunk(held, false);
            }
            return;
          }
          case FULL_DUPLEX_STREAMED -> {
            headersGone = true;
            return;
          }
          case BUFFERED_PARTIAL -> {
            if (buffered != null) {
              queue.add(new Chunk(buffered, false));
              buffered = null;
            }
            if (queuedBytes() > settings.bufferLimit) {
              sendQueue(false);
            }
            return;
          }
          case NONE, UNRECOGNIZED -> {}
        }
      }
      headersGone = true;
      if (sendTrailers && trailersCame) {
        sendTrailers();
        releaseBuffered(false);
        return;
      }
      releaseBuffered(complete && !trailersCame);
      outEnded |= noBody;
      trailersOut |= trailersCame;
    }

    private void releaseBuffered(boolean end) {
      if (buffered != null) {
        var held = buffered;
        buffered = null;
        pass(held, end);
      }
    }

    private Waits afterHeaders() {
      if (mode == BodySendMode.STREAMED && settings.early && !queue.isEmpty()) {
        return Waits.STREAMED_BODY;
      }
      if (duplex() && bodyReceived) {
        return Waits.STREAMED_BODY;
      }
      return duplex() && trailersCame ? Waits.TRAILERS : Waits.NOTHING;
    }

    private void takeBody(CommonResponse answer) {
      EnvoyStream.rule(!answer.getClearRouteCache(), "the route cache is never cleared");
      EnvoyStream.rule(
          answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE,
          "CONTINUE_AND_REPLACE is for answers to headers");
      var mutation = answer.getBodyMutation();
      var streamed = mutation.getMutationCase() == BodyMutation.MutationCase.STREAMED_RESPONSE;
      var goesOn = switch (waits) {
        case BUFFERED_BODY -> {
          EnvoyStream.rule(!streamed, "spurious: streamed_response under " + mode);
          if (!headersGone) {
            applyToBody(answer);
          }
          if (answer.hasBodyMutation()) {
            buffered = mutation.getBody();
            checkLength();
          }
          waits = Waits.NOTHING;
          headersGone = true;
          releaseBuffered(!trailersCame);
          yield true;
        }
        case STREAMED_BODY -> {
          if (duplex()) {
            EnvoyStream.rule(
                streamed, "spurious: only streamed_response answers under FULL_DUPLEX_STREAMED");
            var piece = mutation.getStreamedResponse();
            EnvoyStream.rule(
                piece.getBody().size() <= 62_000, "a chunk over 62,000 bytes may be rejected");
            pass(piece.getBody(), piece.getEndOfStream());
            waits = piece.getEndOfStream() ? Waits.NOTHING : Waits.STREAMED_BODY;
            yield piece.getEndOfStream();
          } else {
            EnvoyStream.rule(!streamed, "spurious: streamed_response under " + mode);
            var chunk = queue.poll();
            EnvoyStream.rule(chunk != null, "spurious: more answers than chunks");
            if (chunk == null) {
              throw new AssertionError("no chunk");
            }
            pass(answer.hasBodyMutation() ? mutation.getBody() : chunk.data, chunk.end);
            waits = queue.isEmpty() ? Waits.NOTHING : Waits.STREAMED_BODY;
            yield chunk.end;
          }
        }
        case PARTIAL_BODY -> {
          EnvoyStream.rule(!streamed, "spurious: streamed_response under " + mode);
          if (!headersGone) {
            applyToBody(answer);
          }
          var chunk = queue.remove();
          pass(answer.hasBodyMutation() ? mutation.getBody() : chunk.data, chunk.end);
          for (var rest = queue.poll(); rest != null; rest = queue.poll()) {
            pass(rest.data, rest.end);
          }
          waits = Waits.NOTHING;
          partialDone = true;
          headersGone = true;
          yield true;
        }
        case NOTHING, HEADERS, TRAILERS ->
          throw new AssertionError(
              "Envoy's rule: spurious: a body is answered while it waits for " + waits);
      };
      if (sendTrailers && trailersCame && queue.isEmpty()) {
        sendTrailers();
      } else if (goesOn || (trailersCame && queue.isEmpty())) {
        trailersOut |= trailersCame && !duplex();
      }
    }

    private void applyToBody(CommonResponse answer) {
      message.apply(answer.getHeaderMutation());
      if (stripsLength()) {
        message.remove("content-length");
      }
    }

    private void checkLength() {
      var length = message.values("content-length");
      var size = buffered == null ? 0 : buffered.size();
      EnvoyStream.rule(
          length.isEmpty() || length.getLast().equals(Integer.toString(size)),
          "content-length " + length + " is not the new body's length, " + size + " (500)");
    }

    private void takeTrailers() {
      EnvoyStream.rule(
          waits == Waits.TRAILERS || (duplex() && trailersSent),
          "spurious: trailers are answered while it waits for " + waits);
      EnvoyStream.rule(waits != Waits.HEADERS, "trailers are answered before the headers");
      waits = Waits.NOTHING;
      trailersOut = true;
    }
  }

  private final Settings settings;
  private final Consumer<ProcessingRequest> network;
  private final Side request = new Side(true);
  private final Side response = new Side(false);
  private final Struct attributes;
  private boolean configSent;
  private boolean over;
  private @Nullable ImmediateResponse immediate;

  /** @param network takes the messages, in order */
  public EnvoyFilter(Settings settings, Consumer<ProcessingRequest> network) {
    this(settings, "via_upstream", network);
  }

  /** @param codeDetails of the response, as an attribute; {@code via_upstream}, or else a local reply */
  public EnvoyFilter(Settings settings, String codeDetails, Consumer<ProcessingRequest> network) {
    this.settings = settings;
    this.network = network;
    this.attributes = Struct.newBuilder()
        .putFields(
            "response.code_details",
            Value.newBuilder().setStringValue(codeDetails).build())
        .build();
    request.mode(settings.mode);
    response.mode(settings.mode);
  }

  /** @param headers names and values in turn */
  public void requestHeaders(boolean end, String... headers) {
    request.headers(end, headers);
  }

  public void requestData(ByteString data, boolean end) {
    request.data(data, end);
  }

  public void requestTrailers() {
    request.trailers();
  }

  public void responseHeaders(boolean end, String... headers) {
    response.headers(end, headers);
  }

  public void responseData(ByteString data, boolean end) {
    response.data(data, end);
  }

  public void responseTrailers() {
    response.trailers();
  }

  public Side request() {
    return request;
  }

  public Side response() {
    return response;
  }

  /** What the client gets instead; null while there is none. */
  public @Nullable ImmediateResponse immediate() {
    return immediate;
  }

  /** The processor ended its stream well: the filter asks it no more. */
  public void closed() {
    over = true;
  }

  /** An answer came. */
  public void take(ProcessingResponse answer) {
    EnvoyStream.rule(!settings.observability, "nothing may be answered in observability mode");
    if (over) {
      return;
    }
    if (answer.hasOverrideMessageTimeout()) {
      takeTime(answer);
      return;
    }
    takeMode(answer);
    switch (answer.getResponseCase()) {
      case IMMEDIATE_RESPONSE -> {
        EnvoyStream.rule(
            answer.getImmediateResponse().getStatus().getCodeValue() >= 200,
            "a status below 200 becomes 200");
        immediate = answer.getImmediateResponse();
        over = true;
      }
      case REQUEST_HEADERS -> request.takeHeaders(answer.getRequestHeaders().getResponse());
      case RESPONSE_HEADERS -> response.takeHeaders(answer.getResponseHeaders().getResponse());
      case REQUEST_BODY -> request.takeBody(answer.getRequestBody().getResponse());
      case RESPONSE_BODY -> response.takeBody(answer.getResponseBody().getResponse());
      case REQUEST_TRAILERS -> request.takeTrailers();
      case RESPONSE_TRAILERS -> response.takeTrailers();
      case RESPONSE_NOT_SET ->
        throw new AssertionError("Envoy's rule: spurious: the oneof is not set");
    }
  }

  private void takeTime(ProcessingResponse answer) {
    EnvoyStream.rule(
        answer.getResponseCase() == ProcessingResponse.ResponseCase.RESPONSE_NOT_SET,
        "the rest of a message with override_message_timeout is dropped");
    var side = request.waits != Waits.NOTHING && !request.duplex() ? request : response;
    EnvoyStream.rule(
        side.waits != Waits.NOTHING, "override_message_timeout while nothing is waited for");
    EnvoyStream.rule(!side.moreTime, "override_message_timeout is heeded once a message");
    side.moreTime = true;
  }

  /** {@code effectiveModeOverride} of the filter: what is left at DEFAULT is the configuration's, body modes are always taken. */
  private void takeMode(ProcessingResponse answer) {
    if (!answer.hasModeOverride()) {
      return;
    }
    var configured = settings.mode;
    EnvoyStream.rule(
        answer.hasRequestHeaders() || answer.hasResponseHeaders(),
        "mode_override is heeded with answers to headers");
    EnvoyStream.rule(
        configured.getRequestBodyMode() != BodySendMode.FULL_DUPLEX_STREAMED
            && configured.getResponseBodyMode() != BodySendMode.FULL_DUPLEX_STREAMED,
        "mode_override is ignored where a body mode is FULL_DUPLEX_STREAMED");
    if (!settings.allowModeOverride || settings.early) {
      return;
    }
    var wanted = answer.getModeOverride();
    var mode = configured.toBuilder()
        .setRequestBodyMode(wanted.getRequestBodyMode())
        .setResponseBodyMode(wanted.getResponseBodyMode());
    if (wanted.getResponseHeaderMode() != HeaderSendMode.DEFAULT) {
      mode.setResponseHeaderMode(wanted.getResponseHeaderMode());
    }
    if (wanted.getRequestTrailerMode() != HeaderSendMode.DEFAULT) {
      mode.setRequestTrailerMode(wanted.getRequestTrailerMode());
    }
    if (wanted.getResponseTrailerMode() != HeaderSendMode.DEFAULT) {
      mode.setResponseTrailerMode(wanted.getResponseTrailerMode());
    }
    request.mode(mode.build());
    response.mode(mode.build());
  }

  private void send(ProcessingRequest.Builder message) {
    message.setObservabilityMode(settings.observability);
    var side =
        message.hasRequestHeaders() || message.hasRequestBody() || message.hasRequestTrailers()
            ? request
            : response;
    if (!side.attributesSent && side == response) {
      message.putAttributes("envoy.filters.http.ext_proc", attributes);
    }
    side.attributesSent = true;
    if (!configSent && settings.sendsConfig && !settings.observability) {
      configSent = true;
      message.setProtocolConfig(ProtocolConfiguration.newBuilder()
          .setRequestBodyMode(request.mode)
          .setResponseBodyMode(response.mode)
          .setSendBodyWithoutWaitingForHeaderResponse(settings.early));
    }
    network.accept(message.build());
  }
}
