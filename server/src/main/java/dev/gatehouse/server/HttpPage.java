package dev.gatehouse.server;

import java.util.function.Consumer;
import java.util.function.Supplier;

/** What there is at a path of an HTTP listener. */
public sealed interface HttpPage {
  /** Answers GET and HEAD. Made on the HTTP listeners' own loop: it may take milliseconds. */
  record Shown(Supplier<AdminPage> page) implements HttpPage {}

  /**
   * Answers POST.
   *
   * @param maxBytes of the body; a larger one is refused with 413
   */
  record Posted(int maxBytes, Handler handler) implements HttpPage {}

  /** Answers what was posted, then or later, on whatever thread, once. */
  @FunctionalInterface
  interface Handler {
    void posted(byte[] body, Consumer<AdminPage> answer);
  }

  static HttpPage of(Supplier<AdminPage> page) {
    return new Shown(page);
  }
}
