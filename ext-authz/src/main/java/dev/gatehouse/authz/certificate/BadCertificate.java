package dev.gatehouse.authz.certificate;

/**
 * A client certificate that is refused. The message says why, for the log, and quotes nothing of it; a client learns no more than
 * 401. Carries no stack trace: it is an ordinary outcome.
 */
public final class BadCertificate extends Exception {
  private static final long serialVersionUID = 1L;

  public BadCertificate(String message) {
    super(message, null, false, false);
  }
}
