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
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Plays Envoy to a processor, for one HTTP request and its response: sends what Envoy's filter would send, takes the answers as it
 * would, and tells what the upstream and the client would have got. An answer that Envoy would count as spurious, reject or drop
 * without a word is a {@link BrokenRule} that names the rule and how to keep it.
 *
 * {@snippet :
 * EnvoyStream.request("POST /orders", "{\"card\":\"4111111111111111\"}")
 *     .header("content-type", "application/json")
 *     .chunked(1000)
 *     .mode(FULL_DUPLEX_STREAMED)
 *     .respond(200, "{\"ok\":true}")
 *     .through(port)
 *     .expectUpstreamHeader("x-seen", "1")
 *     .expectUpstreamBody("{\"card\":\"************1111\"}")
 *     .expectStatus(200);
 * }
 *
 * <p>An exchange that is only judged by what comes of it is scripted, as above, by {@link #request}. Where a test looks at what happens
 * between the messages, or sends them in an order of its own, it opens the stream ({@link EnvoyExchange#open}) and plays message by
 * message: {@link #requestHeaders}, {@link #requestBody} and so on.
 */
public final class EnvoyStream implements AutoCloseable {
  /** The way to the processor: over gRPC ({@link GrpcPeer}), or straight into it. */
  public interface Peer {
    void send(ProcessingRequest message);

    /**
     * The next answer.
     *
     * @param patience how long it may take; one that is called straight has it or has none
     * @return null when there is none, or the stream has ended well ({@link #ended})
     * @throws StreamFailed when it has ended with an error
     */
    @Nullable
    ProcessingResponse receive(Duration patience);

    /** Whether the processor has ended the stream well and all its answers are received. */
    boolean ended();

    /** Envoy sends no more, and waits for nothing but the end. */
    void halfClose();

    /** The request is done, or the client is gone: Envoy's ordinary end of a stream. */
    void reset();
  }

  /** The processor ended the stream with an error. */
  public static final class StreamFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StreamFailed(String why) {
      super(why);
    }
  }

  /** How long an answer may take if the test does not say; Envoy's own 200 ms are for machines that do nothing else. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Peer peer;
  private final Transcript transcript = new Transcript();
  private EnvoyFilter.Settings settings;
  private Duration patience = PATIENCE;
  private Duration mostPatience = Duration.ZERO;
  private boolean mayReset;
  private boolean endsTwice;
  private final Struct.Builder requestAttributes = Struct.newBuilder();
  private final Struct.Builder responseAttributes = Struct.newBuilder();
  private final Struct.Builder forwarded = Struct.newBuilder();
  private @Nullable EnvoyFilter filter;
  private boolean moreTime;
  private boolean done;

  /** An Envoy that tells no modes, as one before 1.34, and sends bodies BUFFERED. */
  public EnvoyStream(Peer peer) {
    this(
        peer,
        new EnvoyFilter.Settings(
            modes(BodySendMode.BUFFERED, BodySendMode.BUFFERED),
            false,
            false,
            false,
            false,
            1 << 20));
  }

  EnvoyStream(Peer peer, EnvoyFilter.Settings settings) {
    this.peer = peer;
    this.settings = settings;
  }

  /** @param line method and path: {@code "GET /orders?page=2"} */
  public static EnvoyExchange request(String line) {
    return EnvoyExchange.of(line, null);
  }

  /** @param line method and path */
  public static EnvoyExchange request(String line, String body) {
    return EnvoyExchange.of(line, ByteString.copyFromUtf8(body));
  }

  /** @param line method and path */
  public static EnvoyExchange request(String line, ByteString body) {
    return EnvoyExchange.of(line, body);
  }

  /**
   * A stream that begins with a response: Envoy, or a filter before this one, answered by itself, as ext_authz does.
   *
   * @param details the attribute {@code response.code_details}, such as {@code ext_authz_denied}
   */
  public static EnvoyExchange localReply(int status, String details, String body) {
    return EnvoyExchange.localReply(status, details, body);
  }

  /** Body modes, as {@code protocol_config} of the first message tells them. */
  public EnvoyStream bodies(BodySendMode request, BodySendMode response) {
    return with(settings.with(modes(request, response)).telling(true));
  }

  /** Body modes that nobody tells the processor: an Envoy before 1.34. */
  public EnvoyStream untoldBodies(BodySendMode request, BodySendMode response) {
    return with(settings.with(modes(request, response)).telling(false));
  }

  /** Observability mode: everything is sent, and nothing is waited for. */
  public EnvoyStream observed() {
    return with(settings.observing());
  }

  /** Sent with the first message of the request and of the response, where {@code request_attributes} and {@code response_attributes} ask for it. */
  public EnvoyStream attribute(String name, String value) {
    var text = Value.newBuilder().setStringValue(value).build();
    requestAttributes.putFields(name, text);
    responseAttributes.putFields(name, text);
    return this;
  }

  /** Dynamic metadata of another filter, forwarded with every message from now on. */
  public EnvoyStream metadata(String namespace, Struct fields) {
    forwarded.putFields(namespace, Value.newBuilder().setStructValue(fields).build());
    if (filter != null) {
      filter.forward(namespace, fields);
    }
    return this;
  }

  /** An immediate response may come when the response's headers have gone: the client's stream is reset then. */
  public EnvoyStream allowReset() {
    mayReset = true;
    return this;
  }

  EnvoyStream endOfStreamTwice() {
    endsTwice = true;
    return this;
  }

  EnvoyStream patience(Duration patience, Duration most) {
    this.patience = patience;
    this.mostPatience = most;
    return this;
  }

  EnvoyStream attributes(Struct request, Struct response) {
    requestAttributes.mergeFrom(request);
    responseAttributes.mergeFrom(response);
    return this;
  }

  private EnvoyStream with(EnvoyFilter.Settings other) {
    if (filter != null) {
      throw new IllegalStateException("the stream has begun: its settings cannot be changed");
    }
    settings = other;
    return this;
  }

  private static ProcessingMode modes(BodySendMode request, BodySendMode response) {
    return ProcessingMode.newBuilder()
        .setRequestBodyMode(request)
        .setResponseBodyMode(response)
        .setRequestTrailerMode(HeaderSendMode.SEND)
        .setResponseTrailerMode(HeaderSendMode.SEND)
        .build();
  }

  /** @param headers names and values in turn */
  public EnvoyStream requestHeaders(boolean endOfStream, String... headers) {
    return play(true, endOfStream, () -> filter().requestHeaders(endOfStream, headers));
  }

  /** @param headers names and values in turn */
  public EnvoyStream responseHeaders(boolean endOfStream, String... headers) {
    return play(false, endOfStream, () -> filter().responseHeaders(endOfStream, headers));
  }

  /** A piece of the body, as it comes from the client; Envoy's mode says when and how it is sent on. */
  public EnvoyStream requestBody(ByteString body, boolean endOfStream) {
    return play(true, endOfStream, () -> filter().requestData(body, endOfStream));
  }

  /** All of the body. */
  public EnvoyStream requestBody(String body) {
    return requestBody(ByteString.copyFromUtf8(body), true);
  }

  /** A piece of the body, as it comes from the upstream. */
  public EnvoyStream responseBody(ByteString body, boolean endOfStream) {
    return play(false, endOfStream, () -> filter().responseData(body, endOfStream));
  }

  /** All of the body. */
  public EnvoyStream responseBody(String body) {
    return responseBody(ByteString.copyFromUtf8(body), true);
  }

  /** @param trailers names and values in turn */
  public EnvoyStream requestTrailers(String... trailers) {
    return play(true, true, () -> filter().requestTrailers(trailers));
  }

  /** @param trailers names and values in turn */
  public EnvoyStream responseTrailers(String... trailers) {
    return play(false, true, () -> filter().responseTrailers(trailers));
  }

  /** What goes on to the upstream. */
  public HttpMessage upstream() {
    return filter().request().message();
  }

  /** What the client gets: the response, or the processor's immediate one. */
  public HttpMessage client() {
    var filter = filter();
    if (filter.immediate() == null) {
      return filter.response().message();
    }
    var answer = filter.immediate();
    var message = new HttpMessage();
    message.add(":status", ByteString.copyFromUtf8("" + answer.getStatus().getCodeValue()));
    message.apply(answer.getHeaders(), false, false);
    message.pass(answer.getBody());
    return message;
  }

  /** What the processor answered to the client itself. */
  public Optional<ImmediateResponse> immediate() {
    return Optional.ofNullable(filter().immediate());
  }

  /** Whether the request's headers have gone on to the upstream. */
  public boolean reachedUpstream() {
    return filter().request().headersGone();
  }

  /** Whether the client's stream was reset: by an immediate response that came when the response's headers were gone. */
  public boolean reset() {
    return filter().reset();
  }

  /** What was told to the filters after this one, by namespace ({@code dynamic_metadata}). */
  public Struct told() {
    return filter().told();
  }

  /** The modes that the last {@code mode_override} led to. */
  public Optional<ProcessingMode> modeOverride() {
    return Optional.ofNullable(filter().override());
  }

  /** @param values all of them, in order; none: the header is absent */
  public EnvoyStream expectUpstreamHeader(String name, String... values) {
    return expect("the upstream's header " + name, upstream().values(name), List.of(values));
  }

  public EnvoyStream expectUpstreamBody(String body) {
    return expectBody("the upstream's body", upstream(), ByteString.copyFromUtf8(body));
  }

  public EnvoyStream expectUpstreamBody(ByteString body) {
    return expectBody("the upstream's body", upstream(), body);
  }

  /** @param values all of them, in order; none: the trailer is absent */
  public EnvoyStream expectUpstreamTrailer(String name, String... values) {
    return expect("the upstream's trailer " + name, upstream().trailers(name), List.of(values));
  }

  /** The processor answered before the request went on. */
  public EnvoyStream expectNoUpstream() {
    return expect("whether the request went on to the upstream", reachedUpstream(), false);
  }

  /** What the client gets, be it the processor's or the upstream's. */
  public EnvoyStream expectStatus(int status) {
    return expect("the client's status", client().status(), status);
  }

  /** @param values all of them, in order; none: the header is absent */
  public EnvoyStream expectHeader(String name, String... values) {
    return expect("the client's header " + name, client().values(name), List.of(values));
  }

  public EnvoyStream expectBody(String body) {
    return expectBody("the client's body", client(), ByteString.copyFromUtf8(body));
  }

  public EnvoyStream expectBody(ByteString body) {
    return expectBody("the client's body", client(), body);
  }

  /** @param values all of them, in order; none: the trailer is absent */
  public EnvoyStream expectTrailer(String name, String... values) {
    return expect("the client's trailer " + name, client().trailers(name), List.of(values));
  }

  /** The client's stream was reset ({@link EnvoyExchange#allowReset}). */
  public EnvoyStream expectReset() {
    return expect("whether the client's stream was reset", reset(), true);
  }

  /** @param text of a string value */
  public EnvoyStream expectMetadata(String namespace, String key, String text) {
    return expectMetadata(
        namespace, key, Value.newBuilder().setStringValue(text).build());
  }

  public EnvoyStream expectMetadata(String namespace, String key, Value value) {
    var fields =
        told().getFieldsOrDefault(namespace, Value.getDefaultInstance()).getStructValue();
    return expect(
        "dynamic metadata " + namespace + " " + key,
        fields.getFieldsOrDefault(key, Value.getDefaultInstance()),
        value);
  }

  /** What the last {@code mode_override} led to. */
  public EnvoyStream expectModeOverride(BodySendMode request, BodySendMode response) {
    return expect(
        "the body modes of the override",
        modeOverride()
            .map(mode -> List.of(mode.getRequestBodyMode(), mode.getResponseBodyMode()))
            .orElse(List.of()),
        List.of(request, response));
  }

  /** Ends the stream; an answer that nothing asked for breaks a rule even now. */
  EnvoyStream finish() {
    telling(() -> {
      if (!peer.ended()) {
        peer.halfClose();
        takeAll(filter().immediate() == null ? END : Duration.ZERO);
      }
      filter().side(true).checkLengthAtTheEnd();
      filter().side(false).checkLengthAtTheEnd();
      return this;
    });
    close();
    return this;
  }

  /** The client goes away. */
  @Override
  public void close() {
    if (!done) {
      done = true;
      peer.reset();
    }
  }

  /** Whether the response may begin: the request's headers have gone on. */
  boolean mayRespond() {
    return filter().request().headersGone();
  }

  /** Whether the processor is asked no more. */
  boolean answered() {
    return filter().immediate() != null;
  }

  /** How long a server may take to end a stream that Envoy has half-closed; not all do. */
  private static final Duration END = Duration.ofMillis(200);

  private EnvoyFilter filter() {
    if (filter == null) {
      filter = new EnvoyFilter(
          settings, requestAttributes.build(), responseAttributes.build(), message -> {
            transcript.sent(message);
            peer.send(message);
          });
      var starting = filter;
      forwarded
          .getFieldsMap()
          .forEach((namespace, fields) -> starting.forward(namespace, fields.getStructValue()));
    }
    return filter;
  }

  /** One thing happens, and Envoy waits for what it has to wait for then. */
  private EnvoyStream play(boolean isRequest, boolean last, Runnable event) {
    if (filter().immediate() != null) {
      throw new IllegalStateException("the test goes on after an immediate response" + transcript);
    }
    return telling(() -> {
      event.run();
      var side = filter().side(isRequest);
      if (last && endsTwice) {
        var _ = side.endsAgain();
      }
      while (side.mustWait(last) && filter().immediate() == null) {
        if (!takeNext(patience())) {
          throw side.unanswered(" within " + patience());
        }
      }
      takeAll(Duration.ZERO);
      if (filter().reset() && !mayReset) {
        throw Rule.IMMEDIATE_IN_TIME.broken("a response with status "
            + client().status()
            + " came when the headers had gone; if that is meant, the test says allowReset()");
      }
      return this;
    });
  }

  private Duration patience() {
    return moreTime ? mostPatience : patience;
  }

  private void takeAll(Duration patience) {
    while (takeNext(patience)) {
      // All that is there.
    }
  }

  /** @return whether there was an answer, or the end of the stream */
  private boolean takeNext(Duration patience) {
    var answer = peer.receive(patience);
    if (answer != null) {
      moreTime = answer.hasOverrideMessageTimeout() && !mostPatience.isZero();
      transcript.answered(answer);
      filter().take(answer);
      return true;
    }
    if (!peer.ended() || filter().isOver()) {
      return false;
    }
    transcript.line("← the processor ends the stream");
    filter().closed();
    return true;
  }

  private EnvoyStream telling(Supplier<EnvoyStream> some) {
    try {
      return some.get();
    } catch (BrokenRule e) {
      throw e.after(transcript.toString());
    } catch (StreamFailed e) {
      throw new StreamFailed(e.getMessage()
          + "\n  Envoy: the client gets status_on_error (500), or with failure_mode_allow the processor is not asked any more"
          + transcript);
    }
  }

  private EnvoyStream expect(String what, Object is, Object expected) {
    if (!is.equals(expected)) {
      throw new AssertionError(what + ": " + is + " (expected: " + expected + ")" + transcript);
    }
    return this;
  }

  private EnvoyStream expectBody(String what, HttpMessage message, ByteString expected) {
    var is = message.bodyBytes();
    if (is.equals(expected)) {
      return this;
    }
    var at = 0;
    while (at < is.size() && at < expected.size() && is.byteAt(at) == expected.byteAt(at)) {
      at++;
    }
    throw new AssertionError(what + ": " + is.size() + " bytes (expected: " + expected.size()
        + "), they differ from byte " + at
        + "\n  is:       " + around(is, at)
        + "\n  expected: " + around(expected, at)
        + transcript);
  }

  /** Some bytes on both sides of a place. */
  private static String around(ByteString bytes, int at) {
    var from = Math.max(0, at - 30);
    var to = Math.min(bytes.size(), at + 50);
    return (from > 0 ? "…" : "")
        + bytes.substring(from, to).toStringUtf8()
        + (to < bytes.size() ? "…" : "");
  }
}
