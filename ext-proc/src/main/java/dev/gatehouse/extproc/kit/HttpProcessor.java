package dev.gatehouse.extproc.kit;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.List;

/**
 * A {@link Processor} with a callback for each direction's messages. Override what is needed; the rest lets pass unchanged. A body
 * comes only where the reply to its headers wished for it ({@link dev.gatehouse.extproc.stream.BodyWish}).
 */
public interface HttpProcessor extends Processor {
  /** The request's headers, {@code :method}, {@code :path} and {@code :authority} among them. */
  default Reply requestHeaders(HeadersMessage headers) throws Exception {
    return Reply.UNCHANGED;
  }

  /**
   * The whole body, where WHOLE was wished for. Not called for a request without one, of which the headers say so ({@link
   * HeadersMessage#endOfStream}) or which goes on with {@link #requestTrailers}.
   */
  default Reply requestBody(ByteString body) throws Exception {
    return Reply.UNCHANGED;
  }

  /** A piece of the body, where CHUNKS or PART was wished for: {@link Processor#chunk}. */
  default Reply requestChunk(ByteString piece, boolean last) throws Exception {
    return Reply.UNCHANGED;
  }

  /** The request's trailers, where {@code request_trailer_mode} is SEND. */
  default Reply requestTrailers(List<HeaderValue> trailers) throws Exception {
    return Reply.UNCHANGED;
  }

  /**
   * The response's headers, {@code :status} among them. Local replies come here too ({@link HeadersMessage#isLocalReply}), and then
   * perhaps without {@link #requestHeaders} before.
   */
  default Reply responseHeaders(HeadersMessage headers) throws Exception {
    return Reply.UNCHANGED;
  }

  /** The whole body, where WHOLE was wished for. Not called for a response without one. */
  default Reply responseBody(ByteString body) throws Exception {
    return Reply.UNCHANGED;
  }

  /** A piece of the body, where CHUNKS or PART was wished for: {@link Processor#chunk}. */
  default Reply responseChunk(ByteString piece, boolean last) throws Exception {
    return Reply.UNCHANGED;
  }

  /** The response's trailers, where {@code response_trailer_mode} is SEND. */
  default Reply responseTrailers(List<HeaderValue> trailers) throws Exception {
    return Reply.UNCHANGED;
  }

  /**
   * What a failure means: by default {@link Failure#answer}, 500 as a rule. {@link Reply#UNCHANGED} lets the direction pass instead, {@link
   * Reply.Fail} leaves it to Envoy's failure mode.
   */
  @Override
  default Reply failed(Direction direction, Failure failure) {
    return failure.answer(direction);
  }

  /** By default a failure: a processor cannot have looked at headers that are not sent. */
  @Override
  default Reply headersLeftOut(Direction direction) {
    return failed(direction, Failure.headersUnavailable(direction));
  }

  @Override
  default Reply headers(HeadersMessage headers) throws Exception {
    return switch (headers.direction()) {
      case REQUEST -> requestHeaders(headers);
      case RESPONSE -> responseHeaders(headers);
    };
  }

  @Override
  default Reply body(Direction direction, ByteString body) throws Exception {
    return switch (direction) {
      case REQUEST -> requestBody(body);
      case RESPONSE -> responseBody(body);
    };
  }

  @Override
  default Reply chunk(Direction direction, ByteString piece, boolean last) throws Exception {
    return switch (direction) {
      case REQUEST -> requestChunk(piece, last);
      case RESPONSE -> responseChunk(piece, last);
    };
  }

  @Override
  default Reply trailers(Direction direction, List<HeaderValue> trailers) throws Exception {
    return switch (direction) {
      case REQUEST -> requestTrailers(trailers);
      case RESPONSE -> responseTrailers(trailers);
    };
  }
}
