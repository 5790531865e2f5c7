package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Match;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** What is to be done for a request. Pure. */
sealed interface Plan {
  /**
   * To be counted.
   *
   * @param hits in the order of their descriptors; a descriptor that nothing limits has none
   * @param descriptors how many the request has
   * @param unlimited the places of those whose limit is that there is none ({@code unlimited: true}); mostly empty
   * @param unknown how many of them are not in the tree
   */
  record Count(List<Hit> hits, int descriptors, List<Integer> unlimited, int unknown)
      implements Plan {}

  /** A descriptor's policy cannot be honoured. */
  record Refuse(String origin) implements Plan {}

  /** Not a request as {@code rls.proto} means it, or nothing to judge it by yet; answered as envoyproxy/ratelimit does. */
  record Invalid(String why) implements Plan {}

  static Plan of(LimitTree tree, RateLimitRequest request) {
    if (request.getDomain().isEmpty()) {
      return new Invalid("rate limit domain must not be empty");
    }
    int descriptors = request.getDescriptorsCount();
    if (descriptors == 0) {
      return new Invalid("rate limit descriptor list must not be empty");
    }
    var hits = new ArrayList<Hit>(descriptors);
    List<Integer> unlimited = List.of();
    List<String> replaced = List.of();
    int unknown = 0;
    for (int i = 0; i < descriptors; i++) {
      var descriptor = request.getDescriptors(i);
      switch (tree.match(request.getDomain(), descriptor)) {
        case Match.Limited(var limit, var subject, var metric) -> {
          replaced = joined(replaced, limit.terms().replaces());
          if (limit.terms().unlimited()) {
            unlimited = joined(unlimited, List.of(i));
          } else {
            hits.add(new Hit(i, limit, subject, addend(request, descriptor), metric));
          }
        }
        case Match.Unlimited none -> {}
        case Match.Unknown none -> unknown++;
        case Match.NotLoaded none -> {
          return new Invalid("no rate limit configuration loaded");
        }
        case Match.Refused(var origin) -> {
          return new Refuse(origin);
        }
      }
    }
    if (!replaced.isEmpty()) {
      var names = new HashSet<>(replaced);
      hits.removeIf(hit -> names.contains(hit.limit().terms().name()));
    }
    return new Count(hits, descriptors, unlimited, unknown);
  }

  private static <T> List<T> joined(List<T> all, List<T> more) {
    if (more.isEmpty()) {
      return all;
    }
    var joined = new ArrayList<>(all);
    joined.addAll(more);
    return joined;
  }

  /** A descriptor's own {@code hits_addend} comes first, and its 0 only looks; the request's 0 means 1. */
  private static long addend(RateLimitRequest request, RateLimitDescriptor descriptor) {
    long addend = descriptor.hasHitsAddend()
        ? bounded(descriptor.getHitsAddend().getValue())
        : Math.max(1, Integer.toUnsignedLong(request.getHitsAddend()));
    return isNegative(descriptor) ? -addend : addend;
  }

  private static long bounded(long uint64) {
    return uint64 < 0 ? Hit.MAX_ADDEND : Math.min(uint64, Hit.MAX_ADDEND);
  }

  /** {@code RateLimitDescriptor.is_negative_hits}, which Envoy 1.40 has and the generated class does not know yet. */
  int IS_NEGATIVE_HITS = 4;

  private static boolean isNegative(RateLimitDescriptor descriptor) {
    var unknown = descriptor.getUnknownFields();
    return unknown.hasField(IS_NEGATIVE_HITS)
        && unknown.getField(IS_NEGATIVE_HITS).getVarintList().stream().anyMatch(v -> v != 0);
  }
}
