package dev.gatehouse.cli.explain;

/** What was asked does not fit the policies; the message says what would. */
public final class BadQuestion extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadQuestion(String message) {
    super(message);
  }
}
