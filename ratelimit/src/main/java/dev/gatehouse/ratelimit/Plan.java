package dev.gatehouse.ratelimit;

import com.google.protobuf.UInt64Value;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Match;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.util.ArrayList;
import java.util.List;

/** What is to be done for a request. Pure. */
sealed interface Plan {
  /**
   * To be counted.
   *
   * @param hits in the order of their descriptors; a descriptor that nothing limits has none
   * @param descriptors how many the request has
   * @param unknown how many of them are not in the tree
   */
  record Count(List<Hit> hits, int descriptors, int unknown) implements Plan {}

  /** A descriptor's policy cannot be honoured. */
  record Refuse(String origin) implements Plan {}

  /** Not a request as {@code rls.proto} means it; answered as envoyproxy/ratelimit does. */
  record Invalid(String why) implements Plan {}

  /** More hits at once make no difference to any limit. */
  long MAX_ADDEND = 0xffff_ffffL;

  static Plan of(LimitTree tree, RateLimitRequest request) {
    if (request.getDomain().isEmpty()) {
      return new Invalid("rate limit domain must not be empty");
    }
    int descriptors = request.getDescriptorsCount();
    if (descriptors == 0) {
      return new Invalid("rate limit descriptor list must not be empty");
    }
    var hits = new ArrayList<Hit>(descriptors);
    int unknown = 0;
    for (int i = 0; i < descriptors; i++) {
      var descriptor = request.getDescriptors(i);
      switch (tree.match(request.getDomain(), descriptor.getEntriesList())) {
        case Match.Limited(var limit, var subject) -> {
          long addend = descriptor.hasHitsAddend()
              ? bounded(descriptor.getHitsAddend())
              : addend(request.getHitsAddend());
          hits.add(new Hit(i, limit, subject, addend));
        }
        case Match.Unlimited unlimited -> {}
        case Match.Unknown u -> unknown++;
        case Match.Refused(var origin) -> {
          return new Refuse(origin);
        }
      }
    }
    return new Count(hits, descriptors, unknown);
  }

  /** The request's own {@code hits_addend}: 0 means 1. */
  private static long addend(int uint32) {
    return uint32 == 0 ? 1 : Integer.toUnsignedLong(uint32);
  }

  /** A descriptor's {@code hits_addend}: 0 only looks. */
  private static long bounded(UInt64Value uint64) {
    long value = uint64.getValue();
    return value < 0 ? MAX_ADDEND : Math.min(value, MAX_ADDEND);
  }
}
