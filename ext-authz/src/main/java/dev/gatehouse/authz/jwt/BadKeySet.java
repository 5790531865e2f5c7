package dev.gatehouse.authz.jwt;

/** A key set that is refused as a whole. The message says why and holds no key. */
public final class BadKeySet extends Exception {
  private static final long serialVersionUID = 1L;

  public BadKeySet(String message) {
    super(message);
  }
}
