package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;

/**
 * What is done with the messages of one stream, that is of one HTTP request and its response. There is one processor a stream,
 * called for one message at a time on the stream's event loop, which it must not block ({@link Reply.Later}).
 *
 * <p>A stream may begin with the response's headers (Envoy answered locally) and may end at any time.
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

  Reply headers(HeadersMessage headers);

  /** The whole body that a reply to headers awaited. Never called otherwise. */
  Reply body(Direction direction, ByteString body);

  /** Something went wrong with this processor's part of the stream; the reply must not be {@link Reply.Later}. */
  Reply failed(Direction direction, Failure failure);

  /** The stream is over, one way or another. */
  default void ended(Ending ending) {}

  /** @param why without anything that a client sent */
  record Failure(String why) {}

  /** @param nanos spent on the stream's messages, waiting not counted */
  record Ending(long nanos, boolean failed) {}
}
