package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The {@code ProcessingResponse}s, serialised. Each mirrors the message that it answers: an unset or a wrong kind is what Envoy
 * calls spurious.
 */
final class Answers {
  private static final int CONTINUE_AND_REPLACE = 1;
  private static final Map<Kind, byte[]> UNCHANGED = unchanged();

  private Answers() {}

  /** The mirror of a message, with nothing changed. */
  static byte[] unchanged(Kind kind) {
    return Objects.requireNonNull(UNCHANGED.get(kind));
  }

  /** The mirror of a headers or body message, with changed headers. */
  static byte[] changed(Kind kind, HeaderChanges changes) {
    return changes.isEmpty() ? unchanged(kind) : common(kind, changes, null, false);
  }

  /**
   * CONTINUE_AND_REPLACE: the body that may follow is dropped for this one, and no more messages come in this direction. Envoy
   * takes the old content-length away.
   */
  static byte[] headersAndBody(Direction direction, HeaderChanges changes, ByteString body) {
    return common(Kind.headers(direction), changes, body, true);
  }

  /** A new body. Under BUFFERED the content-length must be that of the new body, in the same answer, or Envoy answers 500. */
  static byte[] body(Direction direction, HeaderChanges changes, ByteString body) {
    var length = ByteString.copyFromUtf8(Integer.toString(body.size()));
    return common(
        Kind.body(direction), changes.andOverwrite("content-length", length), body, false);
  }

  /** A chunk handed back under FULL_DUPLEX_STREAMED. */
  static byte[] chunk(Direction direction, ByteString body, boolean endOfStream) {
    var out = new BackwardsProto(body.size() + 32);
    if (endOfStream) {
      out.number(2, 1);
    }
    out.bytes(1, body);
    out.message(3, 0);
    out.message(3, 0);
    out.message(1, 0);
    out.message(Kind.body(direction).answerField, 0);
    return out.toBytes();
  }

  static byte[] immediate(Reply.Respond respond) {
    var out = new BackwardsProto(respond.body().size()
        + respond.headers().mutation().length
        + respond.details().length()
        + 32);
    out.string(5, respond.details());
    out.bytes(3, respond.body());
    if (!respond.headers().isEmpty()) {
      out.bytes(2, respond.headers().mutation());
    }
    var status = out.mark();
    out.number(1, respond.status());
    out.message(1, status);
    out.message(7, 0);
    return out.toBytes();
  }

  private static byte[] common(
      Kind kind, HeaderChanges changes, @Nullable ByteString body, boolean replace) {
    var size = changes.mutation().length + (body == null ? 0 : body.size());
    var out = new BackwardsProto(size + 32);
    if (body != null) {
      out.bytes(1, body);
      out.message(3, 0);
    }
    if (!changes.isEmpty()) {
      out.bytes(2, changes.mutation());
    }
    if (replace) {
      out.number(1, CONTINUE_AND_REPLACE);
    }
    out.message(1, 0);
    out.message(kind.answerField, 0);
    return out.toBytes();
  }

  private static Map<Kind, byte[]> unchanged() {
    var all = new EnumMap<Kind, byte[]>(Kind.class);
    for (var kind : Kind.values()) {
      var out = new BackwardsProto(2);
      if (kind != Kind.NONE) {
        out.message(kind.answerField, 0);
      }
      all.put(kind, out.toBytes());
    }
    return all;
  }
}
