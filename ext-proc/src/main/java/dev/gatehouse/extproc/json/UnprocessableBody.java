package dev.gatehouse.extproc.json;

/** A body that cannot be read as the steps need it. Carries no stack trace: it is an ordinary outcome. */
public final class UnprocessableBody extends Exception {
  private static final long serialVersionUID = 1L;

  /** @param message for logs and decisions: nothing of the body is in it */
  public UnprocessableBody(String message) {
    super(message, null, false, false);
  }
}
