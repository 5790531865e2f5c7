package dev.gatehouse.authz.basic;

/**
 * A credential that is refused because of its form. The message says why, for the log, and quotes nothing of it; a client learns no
 * more than 401. Carries no stack trace: it is an ordinary outcome.
 */
public final class BadCredential extends Exception {
  private static final long serialVersionUID = 1L;

  public BadCredential(String message) {
    super(message, null, false, false);
  }
}
