package dev.gatehouse.server;

/** An address that cannot be listened on. */
public final class BindException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BindException(String message, Throwable cause) {
    super(message, cause);
  }
}
