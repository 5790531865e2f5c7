package dev.gatehouse.ratelimit;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.OnUnavailable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What becomes of a request while the counter store cannot count: each of its limits says so ({@link OnUnavailable}). */
final class Fallback {
  /** Limits that a request brings itself are not kept for ever. */
  private static final int MAX_SHARES = 10_000;

  private final MemoryCounterStore local;
  private final int replicas;
  private final ConcurrentHashMap<Limit, Limit> shares = new ConcurrentHashMap<>();

  /**
   * @param local counts what {@link OnUnavailable#LOCAL} asks for
   * @param replicas how many instances share a limit then
   */
  Fallback(MemoryCounterStore local, int replicas) {
    this.local = local;
    this.replicas = replicas;
  }

  /** @param plan the request's, with this instance's share in place of each limit that is counted here */
  record Judged(Plan.Count plan, Counts counts) {}

  /**
   * A limit that denies denies in any case; else one that fails makes the request fail.
   *
   * @return null if the request fails
   */
  @Nullable
  Judged judge(Plan.Count plan, long now) {
    var hits = new ArrayList<Hit>(plan.hits().size());
    var local = new ArrayList<Hit>();
    boolean fails = false;
    boolean denied = false;
    for (var hit : plan.hits()) {
      var mode = hit.limit().terms().onUnavailable();
      fails |= mode == OnUnavailable.ERROR;
      denied |= mode == OnUnavailable.DENY && !hit.limit().shadow();
      hits.add(mode == OnUnavailable.LOCAL ? share(hit) : hit);
      if (mode == OnUnavailable.LOCAL) {
        local.add(hits.getLast());
      }
    }
    var used = used(hits, count(local, fails || denied, now));
    var counts = Counts.of(hits, used);
    if (fails && !counts.denied()) {
      return null;
    }
    return new Judged(
        new Plan.Count(hits, plan.descriptors(), plan.unlimited(), plan.unknown()), counts);
  }

  private static long[] used(List<Hit> hits, long[] local) {
    var used = new long[hits.size()];
    int next = 0;
    for (int i = 0; i < used.length; i++) {
      var limit = hits.get(i).limit();
      used[i] = switch (limit.terms().onUnavailable()) {
        case ERROR, ALLOW -> 0;
        case DENY -> limit.capacity() + limit.units(Math.max(1, hits.get(i).addend()));
        case LOCAL -> local[next++];
      };
    }
    return used;
  }

  /**
   * Memory counts at once.
   *
   * @param lost the request does not pass anyway, so limits that do not count denied requests are only looked at
   * @return of each hit what is used with it
   */
  private long[] count(List<Hit> hits, boolean lost, long now) {
    var used = new long[hits.size()];
    if (hits.isEmpty()) {
      return used;
    }
    var asked = hits.stream()
        .map(hit ->
            lost && !hit.limit().terms().countsDenied() && hit.addend() > 0 ? hit.look() : hit)
        .toList();
    var counted = new Counted();
    local.apply(asked, now, counted);
    for (int i = 0; i < used.length; i++) {
      var hit = hits.get(i);
      used[i] =
          counted.counts.used(i) + hit.limit().units(hit.addend() - asked.get(i).addend());
    }
    return used;
  }

  private Hit share(Hit hit) {
    if (replicas == 1) {
      return hit;
    }
    if (shares.size() > MAX_SHARES) {
      shares.clear();
    }
    var share = shares.computeIfAbsent(hit.limit(), limit -> limit.sharedBy(replicas));
    return new Hit(hit.descriptor(), share, hit.subject(), hit.addend(), hit.metric());
  }

  private static final class Counted implements CounterStore.Outcome {
    private Counts counts = Counts.NONE;

    @Override
    public void counted(Counts all) {
      counts = all;
    }

    @Override
    public void unavailable(CounterStore.Reason reason) {}
  }
}
