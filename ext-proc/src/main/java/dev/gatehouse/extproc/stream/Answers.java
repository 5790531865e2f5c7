package dev.gatehouse.extproc.stream;

import static dev.gatehouse.extproc.stream.BackwardsProto.fieldSize;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.StreamMachine.Modes;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The {@code ProcessingResponse}s, serialised. Each mirrors the message that it answers: an unset or a wrong kind is what Envoy
 * calls spurious.
 */
final class Answers {
  /** What a chunk of FULL_DUPLEX_STREAMED may hold: Envoy counsels against more than 64 KiB a message. */
  static final int CHUNK_BYTES = 62_000;

  private static final int CONTINUE_AND_REPLACE = 1;

  /** What a field with a small number and a small value takes. */
  private static final int OPTION_BYTES = 2;

  /** What a {@code mode_override} takes at most. */
  private static final int MODES_BYTES = 12;

  private static final HeaderChanges WITHOUT_LENGTH =
      HeaderChanges.builder().remove("content-length").build();
  private static final Map<Kind, byte[]> UNCHANGED = unchanged();

  private Answers() {}

  /** The mirror of a message, with nothing changed. */
  static byte[] unchanged(Kind kind) {
    return Objects.requireNonNull(UNCHANGED.get(kind));
  }

  /** The mirror of a message, with changed headers or trailers. */
  static byte[] changed(Kind kind, HeaderChanges changes) {
    if (changes.isEmpty()) {
      return unchanged(kind);
    }
    return kind == Kind.trailers(kind.direction)
        ? trailers(kind, changes)
        : common(kind, changes, null, false, null);
  }

  /**
   * The mirror of headers, with another processing mode for what follows. Where the length of this direction's body is open then, the
   * content-length must go: Envoy takes it away only where that mode is configured.
   */
  static byte[] overridden(Kind kind, HeaderChanges changes, Modes modes) {
    var own = kind.direction == Direction.REQUEST ? modes.requestBody() : modes.responseBody();
    var all = own.stripsLength() ? changes.and(WITHOUT_LENGTH) : changes;
    return common(kind, all, null, false, modes);
  }

  /**
   * CONTINUE_AND_REPLACE: the body that may follow is dropped for this one, and no more messages come in this direction. Envoy
   * takes the old content-length away.
   */
  static byte[] headersAndBody(Direction direction, HeaderChanges changes, ByteString body) {
    return common(Kind.headers(direction), changes, body, true, null);
  }

  /**
   * A new body. Under BUFFERED a content-length must be that of the new body, in the same answer, or Envoy answers 500. There is none
   * when trailers follow, since with a length HTTP/1 would drop them, and where the changes take it away.
   */
  static byte[] body(Direction direction, HeaderChanges changes, ByteString body, boolean last) {
    var length = ByteString.copyFromUtf8(Integer.toString(body.size()));
    var all = last && !changes.removes("content-length")
        ? changes.andOverwrite("content-length", length)
        : changes.and(WITHOUT_LENGTH);
    return common(Kind.body(direction), all, body, false, null);
  }

  /** A new body for one of the chunks under STREAMED or for the part under BUFFERED_PARTIAL, where the length is nobody's concern. */
  static byte[] piece(Direction direction, HeaderChanges changes, ByteString body) {
    return common(Kind.body(direction), changes, body, false, null);
  }

  /** A chunk handed back under FULL_DUPLEX_STREAMED. */
  static byte[] chunk(Direction direction, ByteString body, boolean endOfStream) {
    var streamed = fieldSize(body.size()) + (endOfStream ? OPTION_BYTES : 0);
    var out = new BackwardsProto(fieldSize(fieldSize(fieldSize(fieldSize(streamed)))));
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

  /** Asks for more time for the message that is waited for. Envoy heeds it once a message, up to its {@code max_message_timeout}. */
  static byte[] moreTime(Duration time) {
    var out = new BackwardsProto(24);
    if (time.toMillisPart() > 0) {
      out.number(2, time.toMillisPart() * 1_000_000);
    }
    if (time.toSeconds() > 0) {
      out.number(1, Math.toIntExact(time.toSeconds()));
    }
    out.message(10, 0);
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

  private static byte[] trailers(Kind kind, HeaderChanges changes) {
    var out = new BackwardsProto(changes.mutation().length + 16);
    out.bytes(1, changes.mutation());
    out.message(kind.answerField, 0);
    return out.toBytes();
  }

  private static byte[] common(
      Kind kind,
      HeaderChanges changes,
      @Nullable ByteString body,
      boolean replace,
      @Nullable Modes modes) {
    var size = (body == null ? 0 : fieldSize(fieldSize(body.size())))
        + (changes.isEmpty() ? 0 : fieldSize(changes.mutation().length))
        + (replace ? OPTION_BYTES : 0);
    var out = new BackwardsProto(fieldSize(fieldSize(size)) + (modes == null ? 0 : MODES_BYTES));
    if (modes != null) {
      override(out, modes);
    }
    var response = out.mark();
    if (body != null) {
      var mutation = out.mark();
      out.bytes(1, body);
      out.message(3, mutation);
    }
    if (!changes.isEmpty()) {
      out.bytes(2, changes.mutation());
    }
    if (replace) {
      out.number(1, CONTINUE_AND_REPLACE);
    }
    out.message(1, response);
    out.message(kind.answerField, response);
    return out.toBytes();
  }

  private static void override(BackwardsProto out, Modes modes) {
    var override = out.mark();
    out.number(6, modes.responseTrailers().number);
    out.number(5, modes.requestTrailers().number);
    out.number(4, modes.responseBody().number);
    out.number(3, modes.requestBody().number);
    out.number(2, modes.responseHeaders().number);
    out.message(9, override);
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
