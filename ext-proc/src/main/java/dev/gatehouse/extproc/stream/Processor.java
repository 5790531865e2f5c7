package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.List;

/**
 * What is done with the messages of one stream, that is of one HTTP request and its response. There is one processor a stream,
 * called for one message at a time on the stream's event loop, which it must not block ({@link Reply.Later}).
 *
 * <p>Who throws, says what does not fit, or is too late is asked by {@link #failed} what that means for the stream.
 *
 * <p>A stream may begin with the response's headers (Envoy answered locally) and may end at any time. The response may come while
 * the request's body is still on its way, so what is remembered of a body is remembered a direction.
 */
public interface Processor {
  /** To everything: go on. */
  Processor PASS = new Processor() {
    @Override
    public Reply headers(HeadersMessage headers) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return Reply.UNCHANGED;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return new Reply.Fail(failure.why());
    }
  };

  /** Fails the stream at its first message: Envoy does what its failure mode says. */
  static Processor refusing(String why) {
    return new Refusing(new Reply.Fail(why));
  }

  Reply headers(HeadersMessage headers) throws Exception;

  /** The whole body that a reply to headers wished for. Never called otherwise, nor for headers with nothing but trailers behind them. */
  Reply body(Direction direction, ByteString body) throws Exception;

  /**
   * A body was waited for with the answer to the headers (FULL_DUPLEX_STREAMED), and trailers have come: there is none, and none may be
   * put there. The reply must not be {@link Reply.Later}.
   */
  default Reply noBody(Direction direction) {
    return Reply.UNCHANGED;
  }

  /**
   * A piece of the body, where a reply to headers wished for chunks. {@link Reply.NewBody} replaces it by as much or as little as one
   * likes: what is held back may come with a later chunk.
   *
   * @param last nothing follows, and what was held back must come now. The piece may be empty. Under STREAMED with trailers it comes
   *     when nothing can be added any more: bytes that come back then fail the stream, so hold nothing back there
   */
  default Reply chunk(Direction direction, ByteString piece, boolean last) throws Exception {
    return Reply.UNCHANGED;
  }

  /** The trailers, where the mode sends them. A reply changes them, answers at once, or fails. */
  default Reply trailers(Direction direction, List<HeaderValue> trailers) throws Exception {
    return Reply.UNCHANGED;
  }

  /**
   * A body or trailers came without headers before them: the mode leaves those out, so nobody could be asked what to do.
   *
   * @return anything but {@link Reply.Continue} ends the stream; that lets all of the direction go on as it is
   */
  default Reply headersLeftOut(Direction direction) {
    return Reply.UNCHANGED;
  }

  /**
   * How many bytes of a body the stream may gather under FULL_DUPLEX_STREAMED for {@link BodyWish#WHOLE}. More is
   * {@link Cause#BODY_TOO_LARGE}; what all streams together may not gather is {@link Cause#BUSY}.
   */
  default long gathers(Direction direction) {
    return 1 << 20;
  }

  /**
   * Whether to be asked in observability mode too, where Envoy waits for no answer: then {@link #headers}, {@link #chunk} for each piece
   * of a body that comes, and {@link #trailers} are called, and none of the replies is said. Else it is not called at all, not even at the
   * end.
   */
  default boolean observes() {
    return false;
  }

  /** Something went wrong with this processor's part of the stream; the reply must not be {@link Reply.Later}. */
  Reply failed(Direction direction, Failure failure);

  /** The stream is over, one way or another. */
  default void ended(Ending ending) {}

  /** What went wrong. */
  enum Cause {
    /** The processor threw, or said what cannot be said to that message. */
    BROKEN,
    /** The mode leaves the headers out. */
    HEADERS_UNAVAILABLE,
    /** The body does not come as it is needed. */
    BODY_UNAVAILABLE,
    /** More came than the stream may gather. */
    BODY_TOO_LARGE,
    /** Work was not done in time. */
    LATE,
    /** Work was not begun, for too much waits already; or all streams together would gather too much. */
    BUSY
  }

  /** @param why without anything that a client sent */
  record Failure(Cause cause, String why) {
    /** What a client is told unless the processor knows better: 413 or 502 of a body that is too large, 500 of all else. */
    public Reply.Respond answer(Direction direction) {
      if (cause != Cause.BODY_TOO_LARGE) {
        return Reply.Respond.FAILED;
      }
      return direction == Direction.REQUEST
          ? Reply.Respond.REQUEST_TOO_LARGE
          : Reply.Respond.RESPONSE_TOO_LARGE;
    }

    /** Of a body or trailers that came without headers before them. */
    public static Failure headersUnavailable(Direction direction) {
      var side = direction == Direction.REQUEST ? "request" : "response";
      return new Failure(
          Cause.HEADERS_UNAVAILABLE,
          "the " + side + "'s headers are needed and do not come: " + side
              + "_header_mode is SKIP (expected: SEND)");
    }

    /** @param mode in which the body comes, or does not */
    static Failure bodyUnavailable(Direction direction, BodyMode mode) {
      var side = direction == Direction.REQUEST ? "request" : "response";
      return new Failure(
          Cause.BODY_UNAVAILABLE,
          "the " + side + "'s body is needed and does not come as it is needed: " + side
              + "_body_mode is "
              + mode.configured() + " (a whole body needs BUFFERED, or FULL_DUPLEX_STREAMED with "
              + side
              + "_trailer_mode SEND; chunks need STREAMED or either of these)");
    }
  }

  /** @param nanos spent on the stream's messages, waiting not counted */
  record Ending(long nanos, boolean failed) {}
}
