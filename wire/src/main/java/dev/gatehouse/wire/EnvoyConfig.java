package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedMap;

/**
 * A complete Envoy configuration made of the policies.
 *
 * @param files by name: {@code envoy.yaml} (the bootstrap, or all of it) and, when watched, {@code listeners.yaml}, {@code routes.yaml}, {@code clusters.yaml}
 */
public record EnvoyConfig(SortedMap<String, String> files) {
  /** What cannot be honoured is an error in {@code problems}, and its route is left out or answers 500; never skipped in silence. */
  public static EnvoyConfig of(PolicySet policies, WireSettings settings, Problems problems) {
    throw new UnsupportedOperationException();
  }

  /** Writes what changed, each file by an atomic rename (Envoy watches for moves): clusters first, then routes, then listeners. */
  public void write(Path folder) throws IOException {
    throw new UnsupportedOperationException();
  }
}
