package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;

/** What a message is about, and which field of a {@code ProcessingResponse} mirrors it. */
enum Kind {
  REQUEST_HEADERS(Direction.REQUEST, 1),
  RESPONSE_HEADERS(Direction.RESPONSE, 2),
  REQUEST_BODY(Direction.REQUEST, 3),
  RESPONSE_BODY(Direction.RESPONSE, 4),
  REQUEST_TRAILERS(Direction.REQUEST, 5),
  RESPONSE_TRAILERS(Direction.RESPONSE, 6),
  /** A message without any of these: nothing could mirror it. */
  NONE(Direction.REQUEST, 0);

  final Direction direction;
  final int answerField;

  Kind(Direction direction, int answerField) {
    this.direction = direction;
    this.answerField = answerField;
  }

  static Kind of(ProcessingRequest message) {
    return switch (message.getRequestCase()) {
      case REQUEST_HEADERS -> REQUEST_HEADERS;
      case RESPONSE_HEADERS -> RESPONSE_HEADERS;
      case REQUEST_BODY -> REQUEST_BODY;
      case RESPONSE_BODY -> RESPONSE_BODY;
      case REQUEST_TRAILERS -> REQUEST_TRAILERS;
      case RESPONSE_TRAILERS -> RESPONSE_TRAILERS;
      case REQUEST_NOT_SET -> NONE;
    };
  }

  boolean endOfStream(ProcessingRequest message) {
    return switch (this) {
      case REQUEST_HEADERS -> message.getRequestHeaders().getEndOfStream();
      case RESPONSE_HEADERS -> message.getResponseHeaders().getEndOfStream();
      case REQUEST_BODY -> message.getRequestBody().getEndOfStream();
      case RESPONSE_BODY -> message.getResponseBody().getEndOfStream();
      case REQUEST_TRAILERS, RESPONSE_TRAILERS -> true;
      case NONE -> false;
    };
  }

  ByteString body(ProcessingRequest message) {
    return direction == Direction.REQUEST
        ? message.getRequestBody().getBody()
        : message.getResponseBody().getBody();
  }

  /** The header fields of a trailers message. */
  List<HeaderValue> trailers(ProcessingRequest message) {
    var trailers = direction == Direction.REQUEST
        ? message.getRequestTrailers()
        : message.getResponseTrailers();
    return trailers.getTrailers().getHeadersList();
  }

  static Kind headers(Direction direction) {
    return direction == Direction.REQUEST ? REQUEST_HEADERS : RESPONSE_HEADERS;
  }

  static Kind body(Direction direction) {
    return direction == Direction.REQUEST ? REQUEST_BODY : RESPONSE_BODY;
  }

  static Kind trailers(Direction direction) {
    return direction == Direction.REQUEST ? REQUEST_TRAILERS : RESPONSE_TRAILERS;
  }
}
