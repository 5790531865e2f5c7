package dev.gatehouse.extproc.transform;

/** A body over the policy's limit. Carries no stack trace: it is an ordinary outcome. */
final class BodyTooLarge extends Exception {
  private static final long serialVersionUID = 1L;

  BodyTooLarge() {
    super("the body is over the limit", null, false, false);
  }
}
