package dev.gatehouse.policy.attach;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What of a request chooses its route. */
public interface RoutedRequest {
  String method();

  /** As it was sent, with the query. */
  String path();

  /** With the port if the client sent one. */
  String host();

  /** A header by its name in lower case; several values are joined by {@code ,}; null if it is absent. */
  @Nullable
  String header(String name);

  /**
   * A header's values one by one, by its name in lower case; null where they are only known joined, as in ext_authz's map of headers.
   * Envoy matches routes on each value by itself, so who knows them apart should say so: of a joined value with a comma in it
   * nobody can tell what Envoy saw.
   */
  default @Nullable List<String> headerValues(String name) {
    return null;
  }
}
