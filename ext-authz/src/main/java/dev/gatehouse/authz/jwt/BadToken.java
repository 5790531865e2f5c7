package dev.gatehouse.authz.jwt;

/**
 * A token that is refused. The message says why, for the log: a client is told no more than an error code of RFC 6750. Carries no
 * stack trace: it is an ordinary outcome.
 */
public final class BadToken extends Exception {
  private static final long serialVersionUID = 1L;

  public BadToken(String message) {
    super(message, null, false, false);
  }
}
