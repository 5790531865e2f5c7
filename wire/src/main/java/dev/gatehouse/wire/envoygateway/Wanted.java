package dev.gatehouse.wire.envoygateway;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Body;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What an {@code extProc} must say so that some rules' policies work: their {@link Needs} in the gateway's words.
 *
 * @param request null: nothing of the request need be sent
 * @param response null: nothing of the response need be sent
 * @param accessible the namespaces of dynamic metadata that are read
 * @param writes whether ext-proc's own namespace is written
 */
record Wanted(
    @Nullable Side request, @Nullable Side response, SortedSet<String> accessible, boolean writes) {
  /** Tells ext-proc which route it is: here there is no binding of ours. */
  static final String ROUTE = "xds.route_metadata";

  /** Bytes that Envoy Gateway's listeners hold back unless a ClientTrafficPolicy says more. */
  static final long BUFFER = 32_768;

  /** A direction whose headers are sent. */
  record Side(Body body, SortedSet<String> attributes) {
    private Side streaming() {
      return body == Body.BUFFERED ? new Side(Body.FULL_DUPLEX_STREAMED, attributes) : this;
    }

    private static @Nullable Side union(@Nullable Side one, @Nullable Side other) {
      if (one == null || other == null) {
        return one == null ? other : one;
      }
      return new Side(
          one.body.compareTo(other.body) > 0 ? one.body : other.body,
          Wanted.union(one.attributes, other.attributes));
    }
  }

  /** Null where nothing is needed. */
  static @Nullable Wanted of(Needs needs) {
    return needs.any()
        ? new Wanted(
            side(needs, Direction.REQUEST),
            side(needs, Direction.RESPONSE),
            Collections.unmodifiableSortedSet(new TreeSet<>(needs.metadata().keySet())),
            needs.writesMetadata() != null)
        : null;
  }

  private static @Nullable Side side(Needs needs, Direction direction) {
    var way = needs.way(direction);
    if (!way.sendsHeaders()) {
      return null;
    }
    var attributes = new TreeSet<>(way.attributes().keySet());
    attributes.add(ROUTE);
    return new Side(body(needs, direction), Collections.unmodifiableSortedSet(attributes));
  }

  /** A body that the gateway's buffers do not hold comes in pieces, and is gathered by ext-proc. */
  static Body body(Needs needs, Direction direction) {
    return switch (needs.mode(direction)) {
      case NONE -> Body.NONE;
      case BUFFERED -> needs.buffer() <= BUFFER ? Body.BUFFERED : Body.FULL_DUPLEX_STREAMED;
      case FULL_DUPLEX_STREAMED -> Body.FULL_DUPLEX_STREAMED;
    };
  }

  /** What does for both. */
  Wanted and(Wanted other) {
    var both = new Wanted(
        Side.union(request, other.request),
        Side.union(response, other.response),
        union(accessible, other.accessible),
        writes || other.writes);
    return both.has(Body.FULL_DUPLEX_STREAMED)
        ? new Wanted(
            both.request == null ? null : both.request.streaming(),
            both.response == null ? null : both.response.streaming(),
            both.accessible,
            both.writes)
        : both;
  }

  boolean has(Body body) {
    return (request != null && request.body == body) || (response != null && response.body == body);
  }

  boolean anyBody() {
    return (request != null && request.body != Body.NONE)
        || (response != null && response.body != Body.NONE);
  }

  private static SortedSet<String> union(Collection<String> one, Collection<String> other) {
    var union = new TreeSet<>(one);
    union.addAll(other);
    return Collections.unmodifiableSortedSet(union);
  }
}
