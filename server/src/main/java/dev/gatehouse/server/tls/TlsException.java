package dev.gatehouse.server.tls;

import org.jspecify.annotations.Nullable;

/** A certificate or key that cannot be used; the message names the file and what to do. */
public final class TlsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TlsException(String message) {
    this(message, null);
  }

  TlsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
