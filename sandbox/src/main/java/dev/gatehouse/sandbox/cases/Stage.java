package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** What a case plays on: a gate of its own, or one that somebody else set up. */
interface Stage extends AutoCloseable {
  /** @param port the one that the Gateway says; null means the first listener */
  Gate.Endpoint endpoint(@Nullable Integer port);

  /** Signs the case's tokens. */
  Issuer issuer();

  /** Null when the upstream is not ours, so that nobody can say what it saw. */
  @Nullable
  Upstreams upstreams();

  /** Envoy's counters whose names fit; null when its admin interface is not known. */
  @Nullable
  SortedMap<String, Long> stats(String regex);

  /** What keeps policies of the case out of force now, a line each; none where the policies are somebody else's. */
  default List<String> errors() {
    return List.of();
  }

  /**
   * Replaces files of the policies and waits until Envoy has followed.
   *
   * @param files a file below {@code policies/} to its new content; null removes it
   */
  Edited edit(Map<String, @Nullable String> files);

  record Edited(boolean inForce, List<String> problems) {}

  @Override
  void close();
}
