package dev.gatehouse.extproc.stream;

import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;

/** How Envoy sends a direction's body, as the first message's {@code protocol_config} says. */
public enum BodyMode {
  /** No {@code protocol_config} (Envoy before 1.34): learnt from the messages. */
  UNKNOWN,
  NONE,
  /** The whole body in one message. */
  BUFFERED,
  /** One message of what fits into the buffer; the rest passes unseen. */
  BUFFERED_PARTIAL,
  /** Chunk by chunk, one answer each. */
  STREAMED,
  /** Chunk by chunk, drained: every byte must come back. */
  FULL_DUPLEX;

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

  /** Whether a processor that asks for the whole body can get it. */
  boolean bringsWholeBody() {
    return this == BUFFERED || this == UNKNOWN;
  }
}
