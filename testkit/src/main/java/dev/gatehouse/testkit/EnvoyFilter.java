package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.Metadata;
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
import io.envoyproxy.envoy.service.ext_proc.v3.TrailersResponse;
import java.util.ArrayDeque;
import java.util.Queue;
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

  /** What the filter waits for in one direction. */
  private enum Waits {
    NOTHING,
    HEADERS,
    BUFFERED_BODY,
    STREAMED_BODY,
    PARTIAL_BODY,
    TRAILERS
  }

  private static final int MOST_CHUNK_BYTES = 62_000;

  private record Chunk(ByteString data, boolean end) {}

  /** One direction, and what has gone on from it. */
  public final class Side {
    private final boolean isRequest;
    private final HttpMessage message = new HttpMessage();
    private final Queue<Chunk> queue = new ArrayDeque<>();
    private final HeaderMap.Builder trailerMap = HeaderMap.newBuilder();
    private BodySendMode mode = BodySendMode.NONE;
    private boolean sendHeaders = true;
    private boolean sendTrailers;
    private Waits waits = Waits.NOTHING;
    private @Nullable ByteString buffered;
    private boolean came;
    private boolean endedAgain;
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
    private long sentBytes;
    private boolean outEnded;
    private boolean trailersOut;

    private Side(boolean isRequest) {
      this.isRequest = isRequest;
    }

    /** The message as it goes on: headers that are held are what they are so far, the body is what has gone. */
    public HttpMessage message() {
      return message;
    }

    /** What has gone on of the body. */
    public ByteString passed() {
      return message.bodyBytes();
    }

    /** Whether the body that has gone on is all of it. */
    public boolean ended() {
      return outEnded || trailersOut;
    }

    /** Whether the headers have gone on, so that the other end may act on them. */
    public boolean headersGone() {
      return headersGone;
    }

    /**
     * Whether nothing more is sent before an answer comes, so that a test which plays Envoy waits for it. Under FULL_DUPLEX_STREAMED
     * a processor may see all of the body before it says a word, and so it may where bodies do not wait for headers.
     *
     * @param last nothing more comes in this direction
     */
    boolean mustWait(boolean last) {
      var freely = duplex() || (mode == BodySendMode.STREAMED && settings.early);
      return waiting() && (last || !freely);
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
      came = true;
      if (over) {
        headersGone = immediate == null;
        outEnded |= end;
        return;
      }
      if (sendHeaders) {
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
      if (stripsLength() && !settings.observability) {
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
        if (immediate == null) {
          pass(data, end);
        }
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

    private void trailers(String... fields) {
      trailersCame = true;
      for (var i = 0; i < fields.length; i += 2) {
        message.addTrailer(fields[i], ByteString.copyFromUtf8(fields[i + 1]));
        trailerMap.addHeaders(HeaderValue.newBuilder()
            .setKey(fields[i])
            .setRawValue(ByteString.copyFromUtf8(fields[i + 1])));
      }
      Rule.NO_END_OF_STREAM_BEFORE_TRAILERS.keep(
          !(duplex() && outEnded && !settings.observability),
          "a chunk of the " + name() + " had end_of_stream, and now its trailers come");
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
        headersGone = true;
        trailersOut = true;
      }
    }

    /**
     * Sends the end of the stream once more, as Envoy ≥ 1.35 may do under FULL_DUPLEX_STREAMED; it waits for no answer to that.
     *
     * @return whether it does: after a body that has ended without trailers, once
     */
    public boolean endsAgain() {
      if (!duplex()
          || endedAgain
          || !complete
          || trailersCame
          || !bodyReceived
          || over
          || settings.observability) {
        return false;
      }
      endedAgain = true;
      send(body(ByteString.EMPTY, true));
      return true;
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
      var sent = HttpTrailers.newBuilder().setTrailers(trailerMap);
      send(
          isRequest
              ? ProcessingRequest.newBuilder().setRequestTrailers(sent)
              : ProcessingRequest.newBuilder().setResponseTrailers(sent));
    }

    private ProcessingRequest.Builder body(ByteString data, boolean end) {
      sentBytes += data.size();
      var sent = HttpBody.newBuilder().setBody(data).setEndOfStream(end);
      return isRequest
          ? ProcessingRequest.newBuilder().setRequestBody(sent)
          : ProcessingRequest.newBuilder().setResponseBody(sent);
    }

    private void pass(ByteString data, boolean end) {
      Rule.AFTER_THE_END.keep(
          !outEnded || data.isEmpty(), data.size() + " bytes after the end of the " + name());
      message.pass(data);
      outEnded |= end;
    }

    private void takeHeaders(CommonResponse answer) {
      awaited(waits == Waits.HEADERS, "_headers");
      Rule.ROUTE_CACHE.keep(
          settings.clearsRoutes || !answer.getClearRouteCache(), "clear_route_cache is set");
      var replacing = answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE;
      message.apply(answer.getHeaderMutation(), replacing, stripsLength());
      if (replacing) {
        message.remove("content-length");
        replaced = true;
        waits = Waits.NOTHING;
        mode = BodySendMode.NONE;
        sendTrailers = false;
        queue.clear();
        buffered = null;
        headersGone = true;
        message.replace(answer.getBodyMutation().getBody());
        outEnded = true;
        trailersOut |= trailersCame;
        return;
      }
      Rule.BODY_TO_HEADERS.keep(
          !answer.hasBodyMutation(),
          "the " + name() + "_headers are answered with a body_mutation");
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
      Rule.ROUTE_CACHE.keep(
          settings.clearsRoutes || !answer.getClearRouteCache(), "clear_route_cache is set");
      Rule.REPLACE_AT_HEADERS.keep(
          answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE,
          "the " + name() + "_body is answered with " + answer.getStatus());
      var mutation = answer.getBodyMutation();
      var streamed = mutation.getMutationCase() == BodyMutation.MutationCase.STREAMED_RESPONSE;
      var goesOn = switch (waits) {
        case BUFFERED_BODY -> {
          needsNoDuplex(streamed);
          applyToBody(answer);
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
            Rule.FULL_DUPLEX_NEEDS_STREAMED_RESPONSE.keep(
                streamed,
                "the " + name() + "_body is answered by "
                    + (answer.hasBodyMutation() ? mutation.getMutationCase() : "no body_mutation"));
            headersHaveGone(answer);
            var piece = mutation.getStreamedResponse();
            Rule.CHUNK_SIZE.keep(
                piece.getBody().size() <= MOST_CHUNK_BYTES,
                "a chunk of the " + name() + " has " + piece.getBody().size() + " bytes");
            Rule.NO_END_OF_STREAM_BEFORE_TRAILERS.keep(
                !(piece.getEndOfStream() && trailersCame),
                "a chunk of the " + name() + " has end_of_stream, and its trailers are there");
            pass(piece.getBody(), piece.getEndOfStream());
            waits = piece.getEndOfStream() ? Waits.NOTHING : Waits.STREAMED_BODY;
            yield piece.getEndOfStream();
          } else {
            needsNoDuplex(streamed);
            if (!settings.early) {
              headersHaveGone(answer);
            }
            var chunk = queue.poll();
            if (chunk == null) {
              throw Rule.ONE_ANSWER_A_CHUNK.broken("more answers than chunks of the " + name());
            }
            pass(answer.hasBodyMutation() ? mutation.getBody() : chunk.data, chunk.end);
            waits = queue.isEmpty() ? Waits.NOTHING : Waits.STREAMED_BODY;
            yield chunk.end;
          }
        }
        case PARTIAL_BODY -> {
          needsNoDuplex(streamed);
          applyToBody(answer);
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
        case NOTHING, HEADERS, TRAILERS -> throw bodyUnasked();
      };
      if (sendTrailers && trailersCame && queue.isEmpty()) {
        sendTrailers();
      } else if (goesOn || (trailersCame && queue.isEmpty())) {
        trailersOut |= trailersCame && !duplex();
      }
    }

    private BrokenRule bodyUnasked() {
      var what = "a " + name() + "_body answer comes while Envoy waits for " + awaits();
      if (waits == Waits.HEADERS) {
        return (duplex() ? Rule.HEADERS_BEFORE_BODY : Rule.MIRROR).broken(what);
      }
      return waits == Waits.NOTHING && mode == BodySendMode.STREAMED && bodyReceived
          ? Rule.ONE_ANSWER_A_CHUNK.broken("an answer more than there were chunks of the " + name())
          : (waits == Waits.NOTHING ? Rule.UNASKED : Rule.MIRROR).broken(what);
    }

    private void needsNoDuplex(boolean streamed) {
      Rule.STREAMED_RESPONSE_NEEDS_FULL_DUPLEX.keep(
          !streamed, "the " + name() + "_body is answered by streamed_response under " + mode);
    }

    /**
     * That content-length is seen to is no break: where the headers have gone it is gone, too. Nor is anything where the processor
     * cannot know the mode: it is told none, or another than it asked for.
     */
    private void headersHaveGone(CommonResponse answer) {
      var mutation = answer.getHeaderMutation();
      var changes = mutation.getSetHeadersList().stream()
              .anyMatch(option -> !option.getHeader().getKey().equals("content-length"))
          || mutation.getRemoveHeadersList().stream()
              .anyMatch(name -> !name.equals("content-length"));
      Rule.HEADERS_HAVE_GONE.keep(
          !changes || !settings.sendsConfig || settings.overrides == Overrides.IGNORED,
          "the " + name() + "_body is answered with a header_mutation under " + mode);
    }

    /** An answer that is not a body's. */
    private void awaited(boolean expected, String suffix) {
      if (!expected) {
        throw (waits == Waits.NOTHING ? Rule.UNASKED : Rule.MIRROR)
            .broken("a " + name() + suffix + " answer comes while Envoy waits for " + awaits());
      }
    }

    private String awaits() {
      return switch (waits) {
        case NOTHING -> "nothing of the " + name();
        case HEADERS -> name() + "_headers";
        case BUFFERED_BODY, STREAMED_BODY, PARTIAL_BODY -> name() + "_body";
        case TRAILERS -> name() + "_trailers";
      };
    }

    private String name() {
      return isRequest ? "request" : "response";
    }

    /** What is missing when no answer comes any more. */
    BrokenRule unanswered(String patience) {
      if (duplex() && waits != Waits.HEADERS) {
        return Rule.END_OF_STREAM.broken("of " + sentBytes + " bytes of the " + name() + " "
            + message.bodyBytes().size()
            + " came back, and no "
            + (trailersSent ? "answer to the trailers" : "end_of_stream") + patience);
      }
      return (duplex() && bodyReceived ? Rule.END_OF_STREAM : Rule.IN_TIME)
          .broken("no answer to " + awaits() + patience);
    }

    /** The length that was said, and all that has gone. */
    void checkLengthAtTheEnd() {
      var length = message.header("content-length");
      Rule.STALE_CONTENT_LENGTH.keep(
          length == null
              || noBody
              || !ended()
              || length.equals(Integer.toString(message.bodyBytes().size())),
          "the " + name() + " says content-length " + length + " and has "
              + message.bodyBytes().size() + " bytes");
    }

    /** The processor has ended its stream: what Envoy still has goes on. */
    private void release() {
      Rule.DRAINED.keep(
          !(duplex() && sentBytes > 0 && waits != Waits.NOTHING),
          "of " + sentBytes + " bytes of the " + name() + " "
              + message.bodyBytes().size() + " came back before the processor ended its stream");
      waits = Waits.NOTHING;
      for (var chunk = queue.poll(); chunk != null; chunk = queue.poll()) {
        pass(chunk.data, chunk.end);
      }
      releaseBuffered(complete && !trailersCame);
      headersGone |= came;
      outEnded |= noBody;
      trailersOut |= trailersCame;
    }

    private void applyToBody(CommonResponse answer) {
      if (headersGone) {
        headersHaveGone(answer);
        return;
      }
      message.apply(answer.getHeaderMutation(), false, stripsLength());
      if (stripsLength()) {
        message.remove("content-length");
      }
    }

    private void checkLength() {
      var length = message.values("content-length");
      var size = buffered == null ? 0 : buffered.size();
      Rule.CONTENT_LENGTH.keep(
          length.isEmpty() || length.getLast().equals(Integer.toString(size)),
          "the " + name() + " says content-length " + length + ", its new body has " + size
              + " bytes");
    }

    private void takeTrailers(TrailersResponse answer) {
      Rule.HEADERS_BEFORE_BODY.keep(
          !(duplex() && waits == Waits.HEADERS),
          name() + "_trailers are answered before " + name() + "_headers");
      awaited(waits == Waits.TRAILERS || (duplex() && trailersSent && !trailersOut), "_trailers");
      message.applyToTrailers(answer.getHeaderMutation());
      waits = Waits.NOTHING;
      headersGone = true;
      trailersOut = true;
    }
  }

  private final Settings settings;
  private final Consumer<ProcessingRequest> network;
  private final Side request = new Side(true);
  private final Side response = new Side(false);
  private final Struct requestAttributes;
  private final Struct responseAttributes;
  private final Metadata.Builder forwarded = Metadata.newBuilder();
  private final Struct.Builder told = Struct.newBuilder();
  private boolean configSent;
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
    this.network = network;
    this.requestAttributes = requestAttributes;
    this.responseAttributes = responseAttributes;
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
    forwarded.putFilterMetadata(namespace, fields);
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
    request.release();
    response.release();
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
      case IMMEDIATE_RESPONSE -> {
        var status = answer.getImmediateResponse().getStatus().getCodeValue();
        Rule.IMMEDIATE_STATUS.keep(status >= 200, "its status is " + status);
        new HttpMessage().apply(answer.getImmediateResponse().getHeaders(), false, false);
        immediate = answer.getImmediateResponse();
        reset = response.headersGone;
        over = true;
      }
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
    var side = request.waits != Waits.NOTHING && !request.duplex() ? request : response;
    Rule.TIME_ONCE.keep(side.waits != Waits.NOTHING, "Envoy waits for nothing");
    Rule.TIME_ONCE.keep(!side.moreTime, "it was asked before, for the same answer");
    side.moreTime = true;
  }

  /** {@code effectiveModeOverride} of the filter: what is left at DEFAULT is the configuration's, body modes are always taken. */
  private void takeMode(ProcessingResponse answer) {
    if (!answer.hasModeOverride()) {
      return;
    }
    var configured = settings.mode;
    Rule.MODE_OVERRIDE_AT_HEADERS.keep(
        answer.hasRequestHeaders() || answer.hasResponseHeaders(),
        "mode_override comes with " + answer.getResponseCase());
    var wanted = answer.getModeOverride();
    Rule.MODE_OVERRIDE_AND_FULL_DUPLEX.keep(
        !isDuplex(configured) && !isDuplex(wanted),
        "from " + configured.getRequestBodyMode() + " and " + configured.getResponseBodyMode()
            + " to " + wanted.getRequestBodyMode() + " and " + wanted.getResponseBodyMode());
    Rule.MODE_OVERRIDE_ALLOWED.keep(
        settings.overrides != Overrides.FORBIDDEN,
        "mode_override asks for " + wanted.getRequestBodyMode() + " and "
            + wanted.getResponseBodyMode());
    if (settings.overrides == Overrides.IGNORED || settings.early) {
      return;
    }
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
    override = mode.build();
    request.mode(override);
    response.mode(override);
  }

  private static boolean isDuplex(ProcessingMode mode) {
    return mode.getRequestBodyMode() == BodySendMode.FULL_DUPLEX_STREAMED
        || mode.getResponseBodyMode() == BodySendMode.FULL_DUPLEX_STREAMED;
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

  private void send(ProcessingRequest.Builder message) {
    message.setObservabilityMode(settings.observability);
    var side =
        message.hasRequestHeaders() || message.hasRequestBody() || message.hasRequestTrailers()
            ? request
            : response;
    var attributes = side == request ? requestAttributes : responseAttributes;
    if (!side.attributesSent && attributes.getFieldsCount() > 0) {
      message.putAttributes("envoy.filters.http.ext_proc", attributes);
    }
    if (forwarded.getFilterMetadataCount() > 0) {
      message.setMetadataContext(forwarded);
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
