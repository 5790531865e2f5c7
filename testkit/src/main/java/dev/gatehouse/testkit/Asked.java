package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;

/** What the processor is asked about one direction in the mode of the moment, and which answer is waited for. */
final class Asked {
  private final boolean isRequest;
  private final EnvoyFilter.Settings settings;
  private final FilterMessages messages;
  private BodySendMode mode = BodySendMode.NONE;
  private boolean sendsHeaders = true;
  private boolean sendsTrailers;
  private Waits waits = Waits.NOTHING;
  private boolean moreTime;
  private long bytes;
  private boolean trailersSent;

  Asked(boolean isRequest, EnvoyFilter.Settings settings, FilterMessages messages) {
    this.isRequest = isRequest;
    this.settings = settings;
    this.messages = messages;
    use(settings.mode());
  }

  /** From now on. */
  void use(ProcessingMode all) {
    mode = isRequest ? all.getRequestBodyMode() : all.getResponseBodyMode();
    sendsHeaders = (isRequest ? all.getRequestHeaderMode() : all.getResponseHeaderMode())
        != HeaderSendMode.SKIP;
    sendsTrailers = (isRequest ? all.getRequestTrailerMode() : all.getResponseTrailerMode())
        == HeaderSendMode.SEND;
  }

  /** Nothing more, of a body or trailers. */
  void noMore() {
    mode = BodySendMode.NONE;
    sendsTrailers = false;
    waits = Waits.NOTHING;
  }

  String side() {
    return isRequest ? "request" : "response";
  }

  BodySendMode mode() {
    return mode;
  }

  boolean duplex() {
    return mode == BodySendMode.FULL_DUPLEX_STREAMED;
  }

  /** Whether bodies do not wait for the answer to the headers. */
  boolean freely() {
    return duplex() || (mode == BodySendMode.STREAMED && settings.early());
  }

  /** Whether content-length is taken away, because the length of the body is open. */
  boolean stripsLength() {
    return mode != BodySendMode.NONE && mode != BodySendMode.BUFFERED;
  }

  boolean sendsTrailers() {
    return sendsTrailers;
  }

  void headers(HeaderMap headers, boolean end) {
    if (sendsHeaders) {
      messages.headers(isRequest, headers, end);
      if (!settings.observability()) {
        await(Waits.HEADERS);
      }
    }
  }

  /** What no answer is waited for. */
  void body(ByteString data, boolean end) {
    bytes += data.size();
    messages.body(isRequest, data, end);
  }

  void body(ByteString data, boolean end, Waits next) {
    body(data, end);
    await(next);
  }

  /** A chunk: the answer to the headers is still the first that is waited for. */
  void chunk(ByteString data, boolean end) {
    body(data, end, waits == Waits.HEADERS ? Waits.HEADERS : Waits.STREAMED_BODY);
  }

  /** Once. */
  void trailers(HeaderMap trailers) {
    if (trailersSent) {
      return;
    }
    trailersSent = true;
    await(waiting() || settings.observability() ? waits : Waits.TRAILERS);
    messages.trailers(isRequest, trailers);
  }

  private void await(Waits next) {
    waits = next;
    moreTime = false;
  }

  /** How many bytes of the body were sent. */
  long bytes() {
    return bytes;
  }

  boolean trailersSent() {
    return trailersSent;
  }

  boolean waiting() {
    return waits != Waits.NOTHING;
  }

  Waits waits() {
    return waits;
  }

  /** An answer came, and this is waited for now. */
  void answered(Waits next) {
    waits = next;
  }

  /** The processor asks for more time. */
  void takeTime() {
    Rule.TIME_ONCE.keep(waiting(), "Envoy waits for nothing");
    Rule.TIME_ONCE.keep(!moreTime, "it was asked before, for the same answer");
    moreTime = true;
  }
}
