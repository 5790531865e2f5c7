package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the headers say of the body that follows. */
sealed interface BodyPromise {
  /** What may follow a media type's {@code charset}, in lower case. */
  Set<String> UTF_8 =
      Set.of("=utf-8", "=utf8", "=us-ascii", "=\"utf-8\"", "=\"utf8\"", "=\"us-ascii\"");

  /** None follows. */
  record None() implements BodyPromise {}

  /** One that may be read, as far as the headers say. */
  record Expected(ContentCoding coding) implements BodyPromise {}

  record TooLarge() implements BodyPromise {}

  record Unreadable(String why) implements BodyPromise {}

  /** @param method of the request; empty if it is not known */
  static BodyPromise of(HeadersMessage headers, String method, long limit) {
    if (headers.endOfStream()) {
      return new None();
    }
    var response = headers.direction() == Direction.RESPONSE;
    var status = response ? headers.first(":status") : null;
    if (hasNone(headers, method)) {
      return new Expected(ContentCoding.IDENTITY); // The headers are about a body that is not sent.
    }
    var length = headers.first("content-length");
    if (length != null && isOver(length, limit)) {
      return new TooLarge();
    }
    if ("101".equals(status) || (!response && headers.first("upgrade") != null)) {
      return new Unreadable("it is an upgraded connection");
    }
    if ("206".equals(status)) {
      return new Unreadable("it is a part of the body (206)");
    }
    var objection = objection(new HeaderEdits(headers).joined("content-type"));
    if (objection != null) {
      return new Unreadable(objection);
    }
    var coding = ContentCoding.of(new HeaderEdits(headers).joined("content-encoding"));
    return coding == null
        ? new Unreadable("its content-encoding is neither gzip nor deflate")
        : new Expected(coding);
  }

  /** Whether no body belongs to the message (RFC 9110 section 6.4.1). */
  static boolean hasNone(HeadersMessage headers, String method) {
    return isOnlyDescribed(headers, method)
        || (headers.direction() == Direction.RESPONSE && "204".equals(headers.first(":status")));
  }

  /** Whether the headers are about a body that is not sent (RFC 9110 sections 9.3.2 and 15.4.5). */
  static boolean isOnlyDescribed(HeadersMessage headers, String method) {
    return headers.direction() == Direction.RESPONSE
        && (method.equals("HEAD") || "304".equals(headers.first(":status")));
  }

  /**
   * How the body is had best. Small ones come whole, since the whole can be refused; larger ones and those whose length nobody knows
   * come in pieces, where what is made of them can be made so. Where the mode cannot grant it the stream says so.
   */
  static BodyWish wish(HeadersMessage headers, boolean streams) {
    return switch (headers.bodyMode()) {
      case FULL_DUPLEX ->
        isSmall(headers.first("content-length")) || !streams
            ? BodyWish.WHOLE
            : BodyWish.HELD_CHUNKS;
      case STREAMED -> streams ? BodyWish.CHUNKS : BodyWish.WHOLE;
      case UNKNOWN, NONE, BUFFERED, BUFFERED_PARTIAL -> BodyWish.WHOLE;
    };
  }

  private static boolean isSmall(@Nullable String length) {
    return length != null && !isOver(length, TransformProcessor.LOOP_BYTES);
  }

  private static boolean isOver(String length, long limit) {
    try {
      return Long.parseLong(length) > limit;
    } catch (NumberFormatException e) {
      return false; // Not one that Envoy let through; the body itself is measured, too.
    }
  }

  /**
   * The media type does not decide whether a body is JSON, since who wants to evade the steps could choose it; but a stream has no
   * end to wait for, and text in another character set is not what it looks like.
   */
  private static @Nullable String objection(@Nullable String contentType) {
    if (contentType == null) {
      return null;
    }
    var type = contentType.toLowerCase(Locale.ROOT);
    if (type.startsWith("text/event-stream") || type.startsWith("application/grpc")) {
      return "it is a stream of messages";
    }
    return isUtf8(type) ? null : "its charset is not UTF-8";
  }

  /**
   * Whether a media type names no charset, or once one that is UTF-8 or a part of it. Readers differ in which of several parameters they
   * believe and in what they take for one, so anything else about a charset is taken for another one.
   */
  private static boolean isUtf8(String type) {
    var name = type.indexOf("charset");
    if (name < 0) {
      return true;
    }
    var before = type.substring(0, name).stripTrailing();
    var after = type.substring(name + "charset".length());
    var end = after.indexOf(';');
    var value = (end < 0 ? after : after.substring(0, end)).stripTrailing();
    return before.endsWith(";") && UTF_8.contains(value) && !after.contains("charset");
  }
}
