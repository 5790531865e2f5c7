package dev.gatehouse.extproc.stream;

/** What a processor wants of the body that follows the headers it was asked about. */
public enum BodyWish {
  /** Nothing: the body goes on as it is. */
  UNSEEN,
  /**
   * The whole body, at {@link Processor#body}. It comes under BUFFERED, and under FULL_DUPLEX_STREAMED, where the stream gathers it
   * ({@link Processor#gathers}); else the processor is told that it cannot come, so that nothing passes unseen.
   */
  WHOLE,
  /** All of the body as it comes, at {@link Processor#chunk}: under STREAMED, FULL_DUPLEX_STREAMED and, as one chunk, BUFFERED. */
  CHUNKS,
  /**
   * As {@link #CHUNKS}, but under FULL_DUPLEX_STREAMED the answer to the headers waits for the first piece to be answered: a body that
   * shows at once that it cannot be treated can still be refused. Not for peers that wait for the headers before they send a body (gRPC).
   */
  HELD_CHUNKS,
  /**
   * As much of the body as the mode sends, and be it nothing (NONE) or only the first of it (BUFFERED_PARTIAL). Not for a processor
   * that must see everything. Each piece is said to be the last where it may be.
   */
  PART
}
