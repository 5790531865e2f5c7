package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the headers say of the body that follows. */
sealed interface BodyPromise {
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
    if (isOnlyDescribed(headers, method) || "204".equals(status)) {
      return new Expected(ContentCoding.IDENTITY); // The headers are about a body that is not sent.
    }
    var length = headers.first("content-length");
    if (length != null && isOver(length, limit)) {
      return new TooLarge();
    }
    if ("206".equals(status)) {
      return new Unreadable("it is a part of the body (206)");
    }
    var objection = objection(headers.first("content-type"));
    if (objection != null) {
      return new Unreadable(objection);
    }
    var coding = ContentCoding.of(new HeaderEdits(headers).joined("content-encoding"));
    return coding == null
        ? new Unreadable("its content-encoding is neither gzip nor deflate")
        : new Expected(coding);
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
    var charset = type.indexOf("charset=");
    if (charset < 0) {
      return null;
    }
    var name = type.substring(charset + "charset=".length()).split("[;,]", 2)[0].trim();
    return switch (name.replace("\"", "")) {
      case "utf-8", "utf8", "us-ascii" -> null;
      default -> "its charset is not UTF-8";
    };
  }
}
