package dev.gatehouse.server;

import java.net.SocketAddress;

/** An address that cannot be listened on. */
public final class BindException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String listener;

  public BindException(String message, Throwable cause) {
    this(message, "", cause);
  }

  private BindException(String message, String listener, Throwable cause) {
    super(message, cause);
    this.listener = listener;
  }

  static BindException of(SocketAddress address, String listener, Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return new BindException(
        "cannot listen on %s (%s): %s"
            .formatted(GatehouseServer.printed(address), listener, root.getMessage()),
        listener,
        cause);
  }

  /** {@code admin}, or the names of the listener's services joined by {@code +}: by this the caller knows which flag to name. */
  public String listener() {
    return listener;
  }
}
