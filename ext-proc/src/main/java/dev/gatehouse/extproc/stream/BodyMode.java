package dev.gatehouse.extproc.stream;

import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;

/** How Envoy sends a direction's body, as the first message's {@code protocol_config} says. */
public enum BodyMode {
  /** No {@code protocol_config} (Envoy before 1.34): learnt from the messages. */
  UNKNOWN(BodySendMode.NONE),
  NONE(BodySendMode.NONE),
  /** The whole body in one message. */
  BUFFERED(BodySendMode.BUFFERED),
  /** One message of what fits into the buffer; the rest passes unseen. */
  BUFFERED_PARTIAL(BodySendMode.BUFFERED_PARTIAL),
  /** Chunk by chunk, one answer each. */
  STREAMED(BodySendMode.STREAMED),
  /** Chunk by chunk, drained: every byte must come back. */
  FULL_DUPLEX(BodySendMode.FULL_DUPLEX_STREAMED);

  /** The number in the proto. */
  final int number;

  BodyMode(BodySendMode mode) {
    this.number = mode.getNumber();
  }

  static BodyMode of(BodySendMode mode) {
    return switch (mode) {
      case NONE -> NONE;
      case STREAMED -> STREAMED;
      case BUFFERED -> BUFFERED;
      case BUFFERED_PARTIAL -> BUFFERED_PARTIAL;
      case FULL_DUPLEX_STREAMED -> FULL_DUPLEX;
      case UNRECOGNIZED -> UNKNOWN;
    };
  }

  /** As the first message's {@code protocol_config} says. */
  public static BodyMode of(ProcessingRequest first, Direction direction) {
    if (!first.hasProtocolConfig()) {
      return UNKNOWN;
    }
    var config = first.getProtocolConfig();
    return of(
        direction == Direction.REQUEST
            ? config.getRequestBodyMode()
            : config.getResponseBodyMode());
  }

  /** As Envoy's configuration calls it. */
  String configured() {
    return switch (this) {
      case UNKNOWN -> "not told (Envoy before 1.34)";
      case FULL_DUPLEX -> "FULL_DUPLEX_STREAMED";
      case NONE, BUFFERED, BUFFERED_PARTIAL, STREAMED -> name();
    };
  }

  /** Whether Envoy takes the content-length away, where this mode is configured and not asked for by an override. */
  boolean stripsLength() {
    return this == STREAMED || this == BUFFERED_PARTIAL;
  }
}
