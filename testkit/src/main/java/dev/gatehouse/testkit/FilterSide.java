package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.TrailersResponse;
import java.util.Objects;
import java.util.function.BiConsumer;

/**
 * One direction of the filter: what comes of the message is sent to the processor as the mode has it, and held, and what is answered
 * lets it go on.
 */
final class FilterSide implements EnvoyFilter.Side {
  private final EnvoyFilter.Settings settings;
  private final Asked asked;
  private final Onward onward;
  private final HeldBody held = new HeldBody();
  private final AnswerRules rules;
  private HeaderMap trailers = HeaderMap.getDefaultInstance();
  private boolean headersCame;
  private boolean hasBody = true;
  private boolean bodyCame;
  private boolean trailersCame;
  private boolean complete;
  private boolean endedAgain;
  private boolean replaced;
  private boolean partialDone;
  private boolean bypassed;
  private boolean stopped;

  FilterSide(boolean isRequest, EnvoyFilter.Settings settings, FilterMessages messages) {
    this.settings = settings;
    asked = new Asked(isRequest, settings, messages);
    onward = new Onward(asked.side());
    rules = new AnswerRules(asked, onward, settings);
  }

  Asked asked() {
    return asked;
  }

  void headers(boolean end, String... headers) {
    var map = map(headers, message()::add);
    complete |= end;
    hasBody = !end;
    headersCame = true;
    if (bypassed) {
      if (!stopped) {
        onward.headersGo();
      }
      endWithoutBody();
      return;
    }
    asked.headers(map, end);
    if (asked.stripsLength() && !settings.observability()) {
      message().remove("content-length");
    }
    if (!asked.waiting()) {
      if (asked.mode() == BodySendMode.NONE || asked.mode() == BodySendMode.STREAMED || end) {
        onward.headersGo();
      }
      endWithoutBody();
    }
  }

  /** @param message gets each of the fields, too */
  private static HeaderMap map(String[] fields, BiConsumer<String, ByteString> message) {
    var map = HeaderMap.newBuilder();
    for (var i = 0; i < fields.length; i += 2) {
      var value = ByteString.copyFromUtf8(fields[i + 1]);
      message.accept(fields[i], value);
      map.addHeaders(HeaderValue.newBuilder().setKey(fields[i]).setRawValue(value));
    }
    return map.build();
  }

  void data(ByteString data, boolean end) {
    bodyCame = true;
    if (settings.observability()) {
      if (asked.mode() == BodySendMode.STREAMED) {
        asked.body(data, end);
      }
      onward.pass(data, end);
      return;
    }
    complete |= end;
    if (replaced || stopped) {
      return;
    }
    if (bypassed) {
      onward.pass(data, end);
      return;
    }
    if (asked.waits() == Waits.HEADERS && !asked.freely()) {
      held.gather(data);
      return;
    }
    switch (asked.mode()) {
      case NONE, UNRECOGNIZED -> onward.pass(data, end);
      case BUFFERED -> {
        held.gather(data);
        if (end) {
          sendGathered(true);
        }
      }
      case STREAMED -> {
        held.add(data, end);
        asked.chunk(data, end);
      }
      case FULL_DUPLEX_STREAMED -> asked.chunk(data, end);
      case BUFFERED_PARTIAL -> partial(data, end);
    }
  }

  private void partial(ByteString data, boolean end) {
    if (partialDone) {
      onward.pass(data, end);
      return;
    }
    held.add(data, end);
    if (asked.waits() != Waits.PARTIAL_BODY && (end || overLimit())) {
      sendPart(end);
    }
  }

  private boolean overLimit() {
    return held.chunkBytes() > settings.bufferLimit();
  }

  void trailers(String... fields) {
    trailersCame = true;
    trailers = map(fields, message()::addTrailer);
    rules.beforeTrailers();
    if (bypassed) {
      onward.trailersGo();
      return;
    }
    if (settings.observability()) {
      if (asked.sendsTrailers()) {
        asked.trailers(trailers);
      }
      onward.trailersGo();
      return;
    }
    var sent = complete;
    complete = true;
    if (asked.waiting() && !asked.duplex()) {
      return;
    }
    if (!sent && held.hasGathered() && asked.mode() == BodySendMode.BUFFERED) {
      sendGathered(false);
    } else if (!sent && held.hasChunks() && asked.mode() == BodySendMode.BUFFERED_PARTIAL) {
      sendPart(false);
    } else if (asked.sendsTrailers()) {
      asked.trailers(trailers);
    } else {
      onward.headersGo();
      onward.trailersGo();
    }
  }

  @Override
  public boolean endsAgain() {
    if (!asked.duplex()
        || endedAgain
        || !complete
        || trailersCame
        || !bodyCame
        || bypassed
        || settings.observability()) {
      return false;
    }
    endedAgain = true;
    asked.body(ByteString.EMPTY, true);
    return true;
  }

  private void sendGathered(boolean end) {
    asked.body(held.gathered(), end, Waits.BUFFERED_BODY);
  }

  /** One message of all the chunks. */
  private void sendPart(boolean end) {
    asked.body(held.join(end), end, Waits.PARTIAL_BODY);
  }

  void takeHeaders(CommonResponse answer) {
    rules.headers(answer);
    var replacing = answer.getStatus() == CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE;
    message().apply(answer.getHeaderMutation(), replacing, asked.stripsLength());
    if (replacing) {
      replace(answer.getBodyMutation().getBody());
      return;
    }
    asked.answered(afterHeaders());
    if (!hasBody || asked.mode() == BodySendMode.NONE) {
      goOn();
    } else if (complete) {
      askAboutWhole();
    } else {
      askAboutMore();
    }
  }

  private void replace(ByteString body) {
    message().remove("content-length");
    replaced = true;
    asked.noMore();
    held.clear();
    onward.headersGo();
    message().replace(body);
    onward.endBody();
    letTrailersGo();
  }

  private Waits afterHeaders() {
    if (asked.mode() == BodySendMode.STREAMED && settings.early() && held.hasChunks()) {
      return Waits.STREAMED_BODY;
    }
    if (asked.duplex() && bodyCame) {
      return Waits.STREAMED_BODY;
    }
    return asked.duplex() && trailersCame ? Waits.TRAILERS : Waits.NOTHING;
  }

  /** All of the body came while the answer to the headers was waited for. */
  private void askAboutWhole() {
    if (asked.waiting()) {
      onward.headersGo();
    } else if (held.hasGathered()) {
      sendGathered(!trailersCame);
    } else {
      goOn();
    }
  }

  /** More of the body is to come. */
  private void askAboutMore() {
    switch (asked.mode()) {
      case BUFFERED -> {} // The headers may still be changed with the body.
      case STREAMED -> {
        onward.headersGo();
        var gathered = held.takeGathered();
        if (gathered != null) {
          held.add(gathered, false);
          asked.chunk(gathered, false);
        }
      }
      case FULL_DUPLEX_STREAMED -> onward.headersGo();
      case BUFFERED_PARTIAL -> {
        var gathered = held.takeGathered();
        if (gathered != null) {
          held.add(gathered, false);
        }
        if (overLimit()) {
          sendPart(false);
        }
      }
      case NONE, UNRECOGNIZED -> goOn();
    }
  }

  private void goOn() {
    onward.headersGo();
    if (asked.sendsTrailers() && trailersCame) {
      asked.trailers(trailers);
      onward.passGathered(held, false);
      return;
    }
    onward.passGathered(held, complete && !trailersCame);
    endWithoutBody();
    letTrailersGo();
  }

  void takeBody(CommonResponse answer) {
    rules.body(answer);
    var ends = switch (asked.waits()) {
      case BUFFERED_BODY -> takeWhole(answer);
      case STREAMED_BODY -> asked.duplex() ? takePiece(answer) : takeChunk(answer);
      case PARTIAL_BODY -> takePart(answer);
      case NOTHING, HEADERS, TRAILERS -> throw rules.bodyUnasked(bodyCame);
    };
    if (asked.sendsTrailers() && trailersCame && !held.hasChunks()) {
      asked.trailers(trailers);
    } else if (!asked.duplex() && (ends || !held.hasChunks())) {
      letTrailersGo();
    }
  }

  /** @return whether the body is over */
  private boolean takeWhole(CommonResponse answer) {
    rules.gathered(answer);
    applyToHeldHeaders(answer);
    if (answer.hasBodyMutation()) {
      held.replace(answer.getBodyMutation().getBody());
      rules.lengthOf(held.gathered().size());
    }
    asked.answered(Waits.NOTHING);
    onward.headersGo();
    onward.passGathered(held, !trailersCame);
    return true;
  }

  private boolean takePiece(CommonResponse answer) {
    rules.piece(answer, trailersCame);
    var piece = answer.getBodyMutation().getStreamedResponse();
    onward.pass(piece.getBody(), piece.getEndOfStream());
    asked.answered(piece.getEndOfStream() ? Waits.NOTHING : Waits.STREAMED_BODY);
    return piece.getEndOfStream();
  }

  private boolean takeChunk(CommonResponse answer) {
    rules.chunk(answer);
    var chunk = held.takeChunk();
    if (chunk == null) {
      throw rules.moreAnswersThanChunks();
    }
    pass(chunk, answer);
    asked.answered(held.hasChunks() ? Waits.STREAMED_BODY : Waits.NOTHING);
    return chunk.end();
  }

  private boolean takePart(CommonResponse answer) {
    rules.gathered(answer);
    applyToHeldHeaders(answer);
    pass(Objects.requireNonNull(held.takeChunk()), answer);
    onward.passAll(held);
    asked.answered(Waits.NOTHING);
    partialDone = true;
    onward.headersGo();
    return true;
  }

  private void applyToHeldHeaders(CommonResponse answer) {
    if (onward.headersGone()) {
      return;
    }
    message().apply(answer.getHeaderMutation(), false, asked.stripsLength());
    if (asked.stripsLength()) {
      message().remove("content-length");
    }
  }

  private void pass(HeldBody.Chunk chunk, CommonResponse answer) {
    var data = answer.hasBodyMutation() ? answer.getBodyMutation().getBody() : chunk.data();
    onward.pass(data, chunk.end());
  }

  void takeTrailers(TrailersResponse answer) {
    rules.trailers();
    message().applyToTrailers(answer.getHeaderMutation());
    asked.answered(Waits.NOTHING);
    onward.headersGo();
    onward.trailersGo();
  }

  /** The processor has ended its stream: what Envoy still has goes on, and so does what comes. */
  void bypass() {
    bypassed = true;
    rules.drained();
    asked.answered(Waits.NOTHING);
    onward.passAll(held);
    onward.passGathered(held, complete && !trailersCame);
    if (headersCame) {
      onward.headersGo();
    }
    endWithoutBody();
    letTrailersGo();
  }

  /** The processor has answered the client: nothing goes on any more. */
  void stop() {
    bypassed = true;
    stopped = true;
  }

  private void endWithoutBody() {
    if (!hasBody) {
      onward.endBody();
    }
  }

  private void letTrailersGo() {
    if (trailersCame) {
      onward.trailersGo();
    }
  }

  /**
   * Whether nothing more is sent before an answer comes, so that a test which plays Envoy waits for it. Under FULL_DUPLEX_STREAMED
   * a processor may see all of the body before it says a word, and so it may where bodies do not wait for headers.
   *
   * @param last nothing more comes in this direction
   */
  boolean mustWait(boolean last) {
    return asked.waiting() && (last || !asked.freely());
  }

  void checkLengthAtTheEnd() {
    rules.lengthAtTheEnd(hasBody);
  }

  BrokenRule unanswered(String patience) {
    return rules.unanswered(bodyCame, patience);
  }

  @Override
  public HttpMessage message() {
    return onward.message();
  }

  @Override
  public ByteString passed() {
    return message().bodyBytes();
  }

  @Override
  public boolean ended() {
    return onward.ended();
  }

  @Override
  public boolean headersGone() {
    return onward.headersGone();
  }

  @Override
  public boolean waiting() {
    return asked.waiting();
  }
}
