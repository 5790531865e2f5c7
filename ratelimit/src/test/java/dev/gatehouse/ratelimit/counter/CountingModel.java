package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a store should do, in the most simple words: all of it in one map, one request after another. */
final class CountingModel {
  /** Counters of windows, by limit, subject, window and its number. */
  private Map<List<Object>, Long> windows = new HashMap<>();

  /** Of token buckets. */
  private Map<List<Object>, Bucket> buckets = new HashMap<>();

  /** @param units that are taken, each of which is a millisecond's part of a token: requests × milliseconds of the window */
  private record Bucket(BigInteger units, long time) {}

  Counts apply(List<Hit> hits, long now) {
    var windowsBefore = new HashMap<>(windows);
    var bucketsBefore = new HashMap<>(buckets);
    var used = new long[hits.size()];
    for (int i = 0; i < used.length; i++) {
      used[i] = take(hits.get(i), now);
    }
    boolean denied = denied(hits, used);
    if (denied) {
      windows = windowsBefore;
      buckets = bucketsBefore;
      for (var hit : hits) {
        if (hit.limit().terms().countsDenied() || hit.addend() < 0) {
          take(hit, now);
        }
      }
    }
    return new Counts(used, denied);
  }

  private static boolean denied(List<Hit> hits, long[] used) {
    boolean denied = false;
    boolean quota = false;
    boolean quotaLeft = false;
    for (int i = 0; i < used.length; i++) {
      var hit = hits.get(i);
      boolean over =
          used[i] > hit.limit().capacity() && hit.addend() >= 0 && !hit.limit().shadow();
      if (hit.limit().terms().quota()) {
        quota = true;
        quotaLeft |= !over;
      } else {
        denied |= over;
      }
    }
    return denied || (quota && !quotaLeft);
  }

  private long take(Hit hit, long now) {
    return hit.limit().algorithm() == Algorithm.TOKEN_BUCKET
        ? fromBucket(hit, now)
        : inWindow(hit, now);
  }

  private long inWindow(Hit hit, long now) {
    var limit = hit.limit();
    long number = limit.window().number(now);
    var key = key(hit, number);
    long with = Math.max(0, windows.getOrDefault(key, 0L) + hit.addend());
    windows.put(key, with);
    if (limit.algorithm() == Algorithm.FIXED_WINDOW) {
      return with;
    }
    long last = windows.getOrDefault(key(hit, number - 1), 0L);
    // The part of the last window in steps of 2⁻²⁰, rounded up, as the documentation says.
    long part =
        ceil(limit.window().remaining(now) * (double) (1 << 20) / limit.window().length(now));
    return with + ceil(last * (double) part / (1 << 20));
  }

  private static long ceil(double number) {
    return (long) Math.ceil(number);
  }

  /** Every millisecond as many units come back as the window allows requests; a token is as many as the window has milliseconds. */
  private long fromBucket(Hit hit, long now) {
    var limit = hit.limit();
    var token = BigInteger.valueOf(limit.window().millis());
    long burst = limit.requests() == 0 ? 0 : limit.terms().burst();
    var full = BigInteger.valueOf(burst).multiply(token);
    var bucket = buckets.getOrDefault(key(hit, 0), new Bucket(BigInteger.ZERO, now));
    long time = Math.max(bucket.time, now);
    var back =
        BigInteger.valueOf(limit.requests()).multiply(BigInteger.valueOf(time - bucket.time));
    var level = bucket.units.subtract(back).max(BigInteger.ZERO);
    var with = level.add(token.multiply(BigInteger.valueOf(hit.addend()))).max(BigInteger.ZERO);
    boolean spills = hit.addend() > 0 && with.compareTo(full) > 0;
    buckets.put(key(hit, 0), new Bucket(spills ? level : with, time));
    return with.multiply(BigInteger.valueOf(limit.bucket().cost()))
        .divide(token)
        .longValueExact();
  }

  private static List<Object> key(Hit hit, long number) {
    return List.of(limit(hit.limit()), hit.subject(), number);
  }

  private static List<Object> limit(Limit limit) {
    return List.of(limit.id(), limit.window());
  }
}
