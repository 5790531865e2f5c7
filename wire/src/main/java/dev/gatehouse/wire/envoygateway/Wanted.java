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

  /** A direction whose headers are sent. */
  record Side(Body body, SortedSet<String> attributes) {
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

  /**
   * A body always comes in pieces; what must be seen as a whole is gathered by ext-proc. Only so does the gateway send trailers, without
   * which steps that wait for a body are not told that none comes, and only so do its buffers not limit a body.
   */
  static Body body(Needs needs, Direction direction) {
    return needs.way(direction).readsBody() ? Body.FULL_DUPLEX_STREAMED : Body.NONE;
  }

  /** What does for both. */
  Wanted and(Wanted other) {
    return new Wanted(
        Side.union(request, other.request),
        Side.union(response, other.response),
        union(accessible, other.accessible),
        writes || other.writes);
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
