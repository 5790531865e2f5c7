package dev.gatehouse.testkit;

import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyMutation.MutationCase;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse.ResponseStatus;

/** Holds what is answered to one direction, and what is never answered, against the rules. It changes nothing. */
final class AnswerRules {
  private static final int MOST_CHUNK_BYTES = 62_000;

  private final Asked asked;
  private final Onward onward;
  private final EnvoyFilter.Settings settings;
  private final String side;

  AnswerRules(Asked asked, Onward onward, EnvoyFilter.Settings settings) {
    this.asked = asked;
    this.onward = onward;
    this.settings = settings;
    this.side = asked.side();
  }

  void headers(CommonResponse answer) {
    awaited(asked.waits() == Waits.HEADERS, "_headers");
    routeCache(answer);
    Rule.BODY_TO_HEADERS.keep(
        !answer.hasBodyMutation() || answer.getStatus() == ResponseStatus.CONTINUE_AND_REPLACE,
        "the " + side + "_headers are answered with a body_mutation");
  }

  /** An answer to a body in any mode. */
  void body(CommonResponse answer) {
    routeCache(answer);
    Rule.REPLACE_AT_HEADERS.keep(
        answer.getStatus() == ResponseStatus.CONTINUE,
        "the " + side + "_body is answered with " + answer.getStatus());
  }

  /** Under BUFFERED and BUFFERED_PARTIAL. */
  void gathered(CommonResponse answer) {
    needsNoDuplex(answer);
    if (onward.headersGone()) {
      headersHaveGone(answer);
    }
  }

  /** Under STREAMED. */
  void chunk(CommonResponse answer) {
    needsNoDuplex(answer);
    if (!settings.early()) {
      headersHaveGone(answer);
    }
  }

  /** Under FULL_DUPLEX_STREAMED. */
  void piece(CommonResponse answer, boolean trailersCame) {
    var mutation = answer.getBodyMutation();
    Rule.FULL_DUPLEX_NEEDS_STREAMED_RESPONSE.keep(
        mutation.getMutationCase() == MutationCase.STREAMED_RESPONSE,
        "the " + side + "_body is answered by "
            + (answer.hasBodyMutation() ? mutation.getMutationCase() : "no body_mutation"));
    headersHaveGone(answer);
    var piece = mutation.getStreamedResponse();
    Rule.CHUNK_SIZE.keep(
        piece.getBody().size() <= MOST_CHUNK_BYTES,
        "a chunk of the " + side + " has " + piece.getBody().size() + " bytes");
    Rule.NO_END_OF_STREAM_BEFORE_TRAILERS.keep(
        !(piece.getEndOfStream() && trailersCame),
        "a chunk of the " + side + " has end_of_stream, and its trailers are there");
  }

  /** What an answer to a body is where none is waited for. */
  BrokenRule bodyUnasked(boolean bodyCame) {
    var what = "a " + side + "_body answer comes while Envoy waits for "
        + asked.waits().of(side);
    if (asked.waits() == Waits.HEADERS) {
      return (asked.duplex() ? Rule.HEADERS_BEFORE_BODY : Rule.MIRROR).broken(what);
    }
    if (asked.waits() != Waits.NOTHING) {
      return Rule.MIRROR.broken(what);
    }
    return asked.mode() == BodySendMode.STREAMED && bodyCame
        ? Rule.ONE_ANSWER_A_CHUNK.broken("an answer more than there were chunks of the " + side)
        : Rule.UNASKED.broken(what);
  }

  BrokenRule moreAnswersThanChunks() {
    return Rule.ONE_ANSWER_A_CHUNK.broken("more answers than chunks of the " + side);
  }

  void trailers() {
    Rule.HEADERS_BEFORE_BODY.keep(
        !(asked.duplex() && asked.waits() == Waits.HEADERS),
        side + "_trailers are answered before " + side + "_headers");
    var withTheBody = asked.duplex() && asked.trailersSent() && !onward.trailersGone();
    awaited(asked.waits() == Waits.TRAILERS || withTheBody, "_trailers");
  }

  /** Trailers come from the client or the upstream. */
  void beforeTrailers() {
    Rule.NO_END_OF_STREAM_BEFORE_TRAILERS.keep(
        !(asked.duplex() && onward.bodyEnded() && !settings.observability()),
        "a chunk of the " + side + " had end_of_stream, and now its trailers come");
  }

  /** The length that goes with a new body. */
  void lengthOf(int size) {
    var length = onward.message().values("content-length");
    Rule.CONTENT_LENGTH.keep(
        length.isEmpty() || length.getLast().equals(Integer.toString(size)),
        "the " + side + " says content-length " + length + ", its new body has " + size + " bytes");
  }

  /** The length that was said, and all that has gone. */
  void lengthAtTheEnd(boolean hasBody) {
    var length = onward.message().header("content-length");
    var size = onward.message().bodyBytes().size();
    Rule.STALE_CONTENT_LENGTH.keep(
        length == null || !hasBody || !onward.ended() || length.equals(Integer.toString(size)),
        "the " + side + " says content-length " + length + " and has " + size + " bytes");
  }

  /** The processor ends its stream. */
  void drained() {
    Rule.DRAINED.keep(
        !(asked.duplex() && asked.bytes() > 0 && asked.waiting()),
        "of " + asked.bytes() + " bytes of the " + side + " "
            + onward.message().bodyBytes().size()
            + " came back before the processor ended its stream");
  }

  /** What is missing when no answer comes any more. */
  BrokenRule unanswered(boolean bodyCame, String patience) {
    if (asked.duplex() && asked.waits() != Waits.HEADERS) {
      return Rule.END_OF_STREAM.broken("of " + asked.bytes() + " bytes of the " + side + " "
          + onward.message().bodyBytes().size()
          + " came back, and no "
          + (asked.trailersSent() ? "answer to the trailers" : "end_of_stream") + patience);
    }
    return (asked.duplex() && bodyCame ? Rule.END_OF_STREAM : Rule.IN_TIME)
        .broken("no answer to " + asked.waits().of(side) + patience);
  }

  /** An answer that is not a body's. */
  private void awaited(boolean expected, String suffix) {
    if (!expected) {
      throw (asked.waiting() ? Rule.MIRROR : Rule.UNASKED)
          .broken("a " + side + suffix + " answer comes while Envoy waits for "
              + asked.waits().of(side));
    }
  }

  private void routeCache(CommonResponse answer) {
    Rule.ROUTE_CACHE.keep(
        settings.clearsRoutes() || !answer.getClearRouteCache(), "clear_route_cache is set");
  }

  private void needsNoDuplex(CommonResponse answer) {
    Rule.STREAMED_RESPONSE_NEEDS_FULL_DUPLEX.keep(
        answer.getBodyMutation().getMutationCase() != MutationCase.STREAMED_RESPONSE,
        "the " + side + "_body is answered by streamed_response under " + asked.mode());
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
            .anyMatch(header -> !header.equals("content-length"));
    Rule.HEADERS_HAVE_GONE.keep(
        !changes
            || !settings.sendsConfig()
            || settings.overrides() == EnvoyFilter.Overrides.IGNORED,
        "the " + side + "_body is answered with a header_mutation under " + asked.mode());
  }
}
