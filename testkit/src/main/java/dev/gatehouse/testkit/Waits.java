package dev.gatehouse.testkit;

/** What the filter waits for in one direction. */
enum Waits {
  NOTHING,
  HEADERS,
  BUFFERED_BODY,
  STREAMED_BODY,
  PARTIAL_BODY,
  TRAILERS;

  /** @param side {@code request} or {@code response} */
  String of(String side) {
    return switch (this) {
      case NOTHING -> "nothing of the " + side;
      case HEADERS -> side + "_headers";
      case BUFFERED_BODY, STREAMED_BODY, PARTIAL_BODY -> side + "_body";
      case TRAILERS -> side + "_trailers";
    };
  }
}
