package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.counter.Sliding;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Those hits of a request that {@link Script} counts in one go: all of them, or in a cluster those in one slot. Of a request that is split
 * over slots each part decides by its own hits, but for quotas, of which it does not see all; what it has counted although another part
 * denies is given back.
 */
final class ScriptRun {
  private static final char NEVER = '-';
  private static final char DENIES = 'd';
  private static final char WITH_ALL_QUOTAS = 'q';
  private static final char COUNTED_ANYWAY = 'c';
  private static final char ONLY_IF_NOT_DENIED = '-';

  private final Keys keys;
  private final long now;
  private final boolean split;
  private final List<Integer> places = new ArrayList<>(2);
  private final List<Hit> hits = new ArrayList<>(2);
  private final List<byte[]> counters = new ArrayList<>(2);

  /** What the answer says of each of its hits; nothing before it has come. */
  private long[] used = {};

  ScriptRun(Keys keys, long now, boolean split) {
    this.keys = keys;
    this.now = now;
    this.split = split;
  }

  /** @param place of the hit in the request */
  void add(int place, Hit hit, byte[] counter) {
    places.add(place);
    hits.add(hit);
    counters.add(counter);
  }

  Sent<?> command(Message message, Pending pending) {
    boolean quotasDeny = !split && quotasCanDeny();
    int keyCount = 0;
    int arguments = 0;
    for (int i = 0; i < hits.size(); i++) {
      keyCount += keys(hits.get(i));
      arguments += arguments(hits.get(i));
    }
    message.evalSha(keyCount, arguments);
    for (int i = 0; i < hits.size(); i++) {
      message.text(counters.get(i));
      if (hits.get(i).limit().algorithm() == Algorithm.SLIDING_WINDOW) {
        message.text(keys.ofLast(hits.get(i), now));
      }
    }
    for (int i = 0; i < hits.size(); i++) {
      write(message, hits.get(i), quotasDeny);
    }
    return new Command(message.end(), pending);
  }

  private static int keys(Hit hit) {
    return hit.limit().algorithm() == Algorithm.SLIDING_WINDOW ? 2 : 1;
  }

  private static int arguments(Hit hit) {
    return switch (hit.limit().algorithm()) {
      case FIXED_WINDOW -> 4;
      case SLIDING_WINDOW -> 5;
      case TOKEN_BUCKET -> 6;
    };
  }

  /** As {@code hits.lua} says. */
  private void write(Message message, Hit hit, boolean quotasDeny) {
    var limit = hit.limit();
    var window = limit.window();
    char denies = denies(hit, quotasDeny);
    char counted =
        hit.addend() < 0 || limit.terms().countsDenied() ? COUNTED_ANYWAY : ONLY_IF_NOT_DENIED;
    switch (limit.algorithm()) {
      case FIXED_WINDOW ->
        message
            .letters('f', denies, counted)
            .number(hit.addend())
            .number(limit.requests())
            .number(window.remaining(now) + RedisLoop.SLACK_MILLIS);
      case SLIDING_WINDOW -> {
        long remaining = window.remaining(now);
        message
            .letters('s', denies, counted)
            .number(hit.addend())
            .number(limit.requests())
            .number(remaining + window.length(now + remaining) + RedisLoop.SLACK_MILLIS)
            .number(Sliding.part(remaining, window.length(now)));
      }
      case TOKEN_BUCKET -> writeBucket(message, hit, denies, counted, units(hit));
    }
  }

  private void writeBucket(Message message, Hit hit, char denies, char counted, long units) {
    var bucket = hit.limit().bucket();
    message
        .letters('t', denies, counted)
        .number(units)
        .number(bucket.capacity())
        .number(now)
        .number(bucket.rate())
        .number(bucket.cost());
  }

  private static char denies(Hit hit, boolean quotasDeny) {
    if (!canDeny(hit)) {
      return NEVER;
    }
    if (hit.limit().terms().quota()) {
      return quotasDeny ? WITH_ALL_QUOTAS : NEVER;
    }
    return DENIES;
  }

  private static boolean canDeny(Hit hit) {
    return !hit.limit().shadow() && hit.addend() >= 0;
  }

  /** They deny together: not, if one of them never does. */
  private boolean quotasCanDeny() {
    for (int i = 0; i < hits.size(); i++) {
      if (hits.get(i).limit().terms().quota() && !canDeny(hits.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** As many as a bucket holds and one more are as many as can be asked for: Lua's numbers are doubles. */
  private static long units(Hit hit) {
    var limit = hit.limit();
    long most = limit.capacity() + 1;
    return limit.algorithm() == Algorithm.TOKEN_BUCKET
        ? Math.clamp(limit.units(hit.addend()), -(1L << 53), most)
        : hit.addend();
  }

  /** Whether it has counted hits that it would not have counted, had it known that the request is denied. */
  boolean countedTooMuch() {
    if (used.length == 0 || deniedByItself()) {
      return false;
    }
    for (int i = 0; i < used.length; i++) {
      if (isTooMuch(i)) {
        return true;
      }
    }
    return false;
  }

  private boolean deniedByItself() {
    for (int i = 0; i < used.length; i++) {
      var hit = hits.get(i);
      if (canDeny(hit) && !hit.limit().terms().quota() && used[i] > hit.limit().capacity()) {
        return true;
      }
    }
    return false;
  }

  private boolean isTooMuch(int i) {
    var hit = hits.get(i);
    var limit = hit.limit();
    boolean spilled = limit.algorithm() == Algorithm.TOKEN_BUCKET && used[i] > limit.capacity();
    return hit.addend() > 0 && !limit.terms().countsDenied() && !spilled;
  }

  /** A sliding window's counter is one like a fixed window's. */
  Sent<?> giveBack(Message message) {
    int keyCount = 0;
    int arguments = 0;
    for (int i = 0; i < used.length; i++) {
      if (isTooMuch(i)) {
        keyCount++;
        arguments += hits.get(i).limit().algorithm() == Algorithm.TOKEN_BUCKET ? 6 : 4;
      }
    }
    message.evalSha(keyCount, arguments);
    for (int i = 0; i < used.length; i++) {
      if (isTooMuch(i)) {
        message.text(counters.get(i));
      }
    }
    for (int i = 0; i < used.length; i++) {
      if (isTooMuch(i)) {
        var hit = hits.get(i);
        if (hit.limit().algorithm() == Algorithm.TOKEN_BUCKET) {
          writeBucket(message, hit, NEVER, COUNTED_ANYWAY, -units(hit));
        } else {
          message
              .letters('f', NEVER, COUNTED_ANYWAY)
              .number(-hit.addend())
              .number(hit.limit().requests())
              .number(RedisLoop.SLACK_MILLIS);
        }
      }
    }
    return new GiveBack(message.end(), keyCount);
  }

  private final class Command extends Sent<long[]> {
    private final Pending pending;

    Command(byte[] message, Pending pending) {
      super(CommandType.EVALSHA, new Numbers(hits.size()), message);
      this.pending = pending;
    }

    @Override
    void answered(long @Nullable [] counts) {
      if (counts == null || !((Numbers) getOutput()).complete()) {
        pending.failed(Reason.FAILED);
        return;
      }
      for (int i = 0; i < counts.length; i++) {
        var hit = hits.get(i);
        if (hit.limit().algorithm() == Algorithm.TOKEN_BUCKET && hit.addend() > 0) {
          counts[i] += hit.limit().units(hit.addend()) - units(hit);
        }
      }
      used = counts;
      for (int i = 0; i < counts.length; i++) {
        pending.counted(places.get(i), counts[i]);
      }
    }

    @Override
    void refused(String error) {
      pending.failed(Reason.FAILED);
    }

    @Override
    void lost() {
      pending.failed(Reason.NOT_CONNECTED);
    }
  }

  /** Nobody waits for it. If it is lost the hits stay counted: fewer requests pass than might, never more. */
  private static final class GiveBack extends Sent<long[]> {
    GiveBack(byte[] message, int hits) {
      super(CommandType.EVALSHA, new Numbers(hits), message);
    }

    @Override
    void answered(long @Nullable [] counts) {}

    @Override
    void refused(String error) {}

    @Override
    void lost() {}
  }
}
