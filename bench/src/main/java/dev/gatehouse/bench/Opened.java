package dev.gatehouse.bench;

import java.util.ArrayDeque;
import java.util.Deque;

/** What a run has opened; it is closed with it, the last first, whatever one of them says to that. */
final class Opened implements AutoCloseable {
  private final Deque<AutoCloseable> all = new ArrayDeque<>();

  <C extends AutoCloseable> C add(C closeable) {
    all.push(closeable);
    return closeable;
  }

  @Override
  public void close() {
    for (var each : all) {
      try {
        each.close();
      } catch (Exception e) {
        System.err.println("not closed: " + e);
      }
    }
  }
}
