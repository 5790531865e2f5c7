package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Outcome;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Hit;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandType;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one event loop sends to Redis for the hits of a request, and what it makes of the answers. Used on its loop only. */
final class RedisLoop {
  /** A key outlives its window by this, since replicas know Redis's clock only to some milliseconds. */
  private static final long SLACK_MILLIS = 2000;

  private final Link link;
  private final Keys keys;
  private final RedisClock clock;
  private final Deadlines deadlines;

  RedisLoop(Link link, Keys keys, Duration timeout, RedisClock clock) {
    this.link = link;
    this.keys = keys;
    this.clock = clock;
    this.deadlines = new Deadlines(link.eventLoop(), timeout.toNanos());
  }

  EventLoop eventLoop() {
    return link.eventLoop();
  }

  Link link() {
    return link;
  }

  void apply(List<Hit> hits, long now, Outcome outcome) {
    if (!clock.known()) {
      outcome.unavailable(Reason.NOT_CONNECTED);
      return;
    }
    var pending = new Pending(hits, outcome);
    for (int i = 0; i < hits.size(); i++) {
      var hit = hits.get(i);
      var key = keys.of(hit, now);
      var node = link.holder(key);
      pending.add(node, new IncrBy(key, hit.addend(), pending, i));
      pending.add(node, new PExpire(key, hit.limit().window().remaining(now) + SLACK_MILLIS));
    }
    var refusal = pending.refusal();
    if (refusal != null) {
      pending.failed(refusal);
      return;
    }
    deadlines.add(pending);
    pending.send();
  }

  /** One hit. */
  private static final class IncrBy extends Sent<Long> {
    private final Pending pending;
    private final int hit;

    IncrBy(byte[] key, long addend, Pending pending, int hit) {
      super(
          CommandType.INCRBY,
          new IntegerOutput<>(ByteArrayCodec.INSTANCE),
          args().addKey(key).add(addend));
      this.pending = pending;
      this.hit = hit;
    }

    @Override
    void answered(@Nullable Long count) {
      if (count == null) {
        pending.failed(Reason.FAILED);
      } else {
        pending.counted(hit, count);
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

  /** The end of a hit's key. If Redis refuses it the log says so; the count is good nevertheless. */
  private static final class PExpire extends Sent<Long> {
    PExpire(byte[] key, long millis) {
      super(
          CommandType.PEXPIRE,
          new IntegerOutput<>(ByteArrayCodec.INSTANCE),
          args().addKey(key).add(millis));
    }

    @Override
    void answered(@Nullable Long set) {}

    @Override
    void refused(String error) {}

    @Override
    void lost() {}
  }
}
