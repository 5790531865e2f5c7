package dev.gatehouse.policy.expr;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.attach.RoutedRequest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a request looks like to conditions, templates and matches. A service fills it from Envoy's messages, lazily: what nobody
 * asks for costs nothing.
 */
public interface RequestFacts extends RoutedRequest {
  /** Without the query, percent-encoding kept. */
  String urlPath();

  String scheme();

  /** {@code x-request-id}; empty if there is none. */
  String id();

  Map<String, String> headers();

  /** The decoded query; of a repeated parameter the first value. */
  Map<String, String> query();

  /** The client's IP address; empty if it is unknown. */
  String sourceAddress();

  /** Who was authenticated; null before that, or if nobody was. */
  @Nullable
  Auth auth();

  @Nullable
  RouteKey route();

  /** What one evaluation over them may cost: {@link Work#QUICK}, or {@link Work#SLOW} where no event loop waits for it. */
  default long work() {
    return Work.QUICK;
  }

  /** What ext-authz calls its decision; empty elsewhere. */
  default String decision() {
    return "";
  }

  /** The response's status; 0 while there is none. */
  default int responseCode() {
    return 0;
  }

  default Map<String, String> responseHeaders() {
    return Map.of();
  }

  /**
   * The request's body, read as JSON: maps with text keys, lists, texts, booleans, {@code Long} or {@code Double}, and {@link Expressions#NULL}. An
   * empty map where there is no body. Asked for only by what {@linkplain Reads#reads reads} it.
   *
   * @return null where the body is not there, so that what asks for it cannot be evaluated
   */
  default @Nullable Object requestBody() {
    return null;
  }

  /** As {@link #requestBody}, of the response. */
  default @Nullable Object responseBody() {
    return null;
  }

  /** The dynamic metadata of a namespace, as maps, lists, texts, doubles and booleans; null if there is none. */
  default @Nullable Map<String, Object> metadata(String namespace) {
    return null;
  }
}
