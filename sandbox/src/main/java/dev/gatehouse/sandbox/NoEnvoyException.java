package dev.gatehouse.sandbox;

/** No Envoy could be had; the message names every place that was searched, and how to get one. */
public final class NoEnvoyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NoEnvoyException(String message) {
    super(message);
  }
}
