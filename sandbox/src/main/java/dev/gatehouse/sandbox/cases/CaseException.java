package dev.gatehouse.sandbox.cases;

/** A case that cannot be read or run; the message names the file and, where it can, the line. */
public final class CaseException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CaseException(String message) {
    super(message);
  }
}
