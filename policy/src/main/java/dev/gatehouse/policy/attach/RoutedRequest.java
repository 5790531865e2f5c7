package dev.gatehouse.policy.attach;

import java.util.Map;
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

  /** The decoded query; of a repeated parameter the first value. */
  Map<String, String> query();
}
