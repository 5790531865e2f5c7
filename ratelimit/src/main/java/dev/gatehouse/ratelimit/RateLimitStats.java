package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.source.Live;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.ratelimit.stats.PrometheusText;
import dev.gatehouse.ratelimit.stats.Stats;
import dev.gatehouse.ratelimit.stats.StatsFlush;
import dev.gatehouse.ratelimit.stats.StatsSettings;
import dev.gatehouse.server.AdminPage;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells {@link Stats} what came of the hits of each call, and shows them. The calls by which the service warms up are none. */
final class RateLimitStats implements AutoCloseable {
  private final boolean enabled;
  private final Live<LimitTree> limits;
  private final Stats stats;
  private final PrometheusText prometheus;
  private final @Nullable StatsFlush flush;

  /** Of the flushing thread alone. */
  private LimitTree seen = LimitTree.EMPTY;

  RateLimitStats(Live<LimitTree> limits, StatsSettings settings, double nearLimitRatio) {
    this.enabled = settings.enabled();
    this.limits = limits;
    this.stats = new Stats(settings.maxKeys(), (float) nearLimitRatio);
    this.prometheus = new PrometheusText(stats, settings.mapping(), settings.tags());
    this.flush = enabled ? StatsFlush.start(stats, settings.statsd(), this::followTheLimits) : null;
  }

  /** Limits that come and go are looked at once a second; hits of new ones are not lost until then. */
  private void followTheLimits() {
    var tree = limits.current();
    if (tree != seen) {
      seen = tree;
      stats.inForce(tree.limits().stream()
          .map(Limit::metric)
          .filter(metric -> !metric.startsWith(LimitTreeCompiler.WARM_UP_DOMAIN + "."))
          .collect(Collectors.toList()));
    }
  }

  void counted(RateLimitRequest request, Plan.Count plan, Counts counts, Verdict verdict) {
    if (!counts(request)) {
      return;
    }
    for (int i = 0; i < counts.size(); i++) {
      var hit = plan.hits().get(i);
      if (counts.cached(i)) {
        stats
            .limit(hit.metric())
            .overWithLocalCache(Math.max(0, hit.addend()), hit.limit().shadow());
      } else {
        count(hit, counts.used(i));
      }
    }
    if (counts.denied() && !verdict.over()) {
      stats.globalShadowMode();
    }
    if (plan.unknown() > 0 && !limits.current().domains().contains(request.getDomain())) {
      stats.domainNotFound(request.getDomain());
    }
  }

  private void count(Hit hit, long used) {
    if (hit.addend() <= 0) {
      return;
    }
    var limit = hit.limit();
    boolean bucket = limit.algorithm() == Algorithm.TOKEN_BUCKET;
    stats
        .limit(hit.metric())
        .counted(
            bucket ? Math.ceilDiv(used, limit.units(1)) : used,
            hit.addend(),
            bucket ? limit.terms().burst() : limit.requests(),
            limit.shadow());
  }

  void storeFailed(RateLimitRequest request) {
    if (counts(request)) {
      stats.redisError();
    }
  }

  /** The store could not count, and the answer is an error: the reference has counted the hits before it asks. */
  void notCounted(RateLimitRequest request, Plan.Count plan) {
    if (!counts(request)) {
      return;
    }
    for (int i = 0; i < plan.hits().size(); i++) {
      var hit = plan.hits().get(i);
      stats.limit(hit.metric()).notCounted(Math.max(0, hit.addend()));
    }
  }

  /** A request that is none, or one whose policy cannot be honoured. */
  void refused(RateLimitRequest request) {
    if (counts(request)) {
      stats.serviceError();
    }
  }

  /** @param began by {@link System#nanoTime} */
  void answered(RateLimitRequest request, long began) {
    if (counts(request)) {
      stats.answered(System.nanoTime() - began);
    }
  }

  private boolean counts(RateLimitRequest request) {
    return enabled && !request.getDomain().equals(LimitTreeCompiler.WARM_UP_DOMAIN);
  }

  /** @param inForce false if what was there before stays */
  void configLoaded(boolean inForce) {
    stats.configLoaded(inForce);
  }

  AdminPage page() {
    return AdminPage.plain(200, enabled ? stats.text() : "statistics are off (DISABLE_STATS)\n");
  }

  String prometheus() {
    return enabled ? prometheus.page() : "";
  }

  @Override
  public void close() {
    if (flush != null) {
      flush.close();
    }
  }
}
