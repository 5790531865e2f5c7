package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Outcome;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import io.lettuce.core.protocol.CommandType;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop sends to Redis for the hits of a request, and what it makes of the answers. Used on its loop only.
 *
 * <p>Where each hit is counted whatever becomes of the others, in fixed windows, that is one {@code INCRBY} a hit; else {@link ScriptRun}.
 * {@code PEXPIRE} goes with it until the server has confirmed that the key expires ({@link Expiring}), and after it when the counter turns out
 * to be new. A key stays for ever only if the connection breaks between the two; it is never counted on again then, for the window's number
 * is in it.
 */
final class RedisLoop {
  /** A key outlives its window by this, since replicas know Redis's clock only to some milliseconds. */
  static final long SLACK_MILLIS = 2000;

  private final Link link;
  private final Keys keys;
  private final RedisClock clock;
  private final Deadlines deadlines;
  private final Message message = new Message();

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
    if (plainlyCounted(hits)) {
      for (int i = 0; i < hits.size(); i++) {
        addPlain(pending, i, hits.get(i), now);
      }
    } else {
      addScripts(pending, hits, now);
    }
    var refusal = pending.refusal();
    if (refusal != null) {
      pending.failed(refusal);
      return;
    }
    deadlines.add(pending);
    pending.send();
  }

  /** Whether each hit may be counted without a look at any counter. */
  private static boolean plainlyCounted(List<Hit> hits) {
    boolean anyway = true;
    boolean denies = false;
    for (int i = 0; i < hits.size(); i++) {
      var hit = hits.get(i);
      if (hit.limit().algorithm() != Algorithm.FIXED_WINDOW || hit.addend() < 0) {
        return false;
      }
      anyway &= hit.limit().terms().countsDenied() || hit.addend() == 0;
      denies |= !hit.limit().shadow();
    }
    return anyway || !denies;
  }

  private void addPlain(Pending pending, int i, Hit hit, long now) {
    var key = keys.of(hit, now);
    var node = link.holder(key);
    if (hit.addend() == 0) {
      pending.add(node, new Look(message.get(key), pending, i));
      return;
    }
    long lives = hit.limit().window().remaining(now) + SLACK_MILLIS;
    boolean expires = node.expiring().has(key);
    pending.add(node, new IncrBy(node, key, hit.addend(), expires ? lives : 0, pending, i));
    if (!expires) {
      pending.add(node, new PExpire(node, key, lives));
    }
  }

  /** One a slot: in a cluster a script may only use keys of one. */
  private void addScripts(Pending pending, List<Hit> hits, long now) {
    int n = hits.size();
    var counters = new byte[n][];
    var slots = new int[n];
    boolean split = false;
    for (int i = 0; i < n; i++) {
      counters[i] = keys.of(hits.get(i), now);
      slots[i] = link.slot(counters[i]);
      split |= slots[i] != slots[0];
    }
    for (int first = 0; first < n; first++) {
      if (slots[first] >= 0) {
        addScript(pending, hits, counters, slots, first, split, now);
      }
    }
  }

  /** Of all hits in the slot of the first; they are marked as done. */
  private void addScript(
      Pending pending,
      List<Hit> hits,
      byte[][] counters,
      int[] slots,
      int first,
      boolean split,
      long now) {
    int slot = slots[first];
    var run = new ScriptRun(keys, now, split);
    for (int i = first; i < hits.size(); i++) {
      if (slots[i] == slot) {
        slots[i] = -1;
        run.add(i, hits.get(i), counters[i]);
      }
    }
    var node = link.holder(slot);
    pending.add(node, run.command(message, pending));
    if (split) {
      pending.mayGiveBack(() -> node.send(List.of(run.giveBack(message))), run);
    }
  }

  /** One hit. */
  private final class IncrBy extends Sent<long[]> {
    private final Node node;
    private final byte[] key;
    private final long addend;
    private final long lives;
    private final Pending pending;
    private final int hit;

    /** @param lives to be said if it turns out that the counter is new; 0 if it is said anyway */
    IncrBy(Node node, byte[] key, long addend, long lives, Pending pending, int hit) {
      super(CommandType.INCRBY, new Numbers(1), message.incrBy(key, addend));
      this.node = node;
      this.key = key;
      this.addend = addend;
      this.lives = lives;
      this.pending = pending;
      this.hit = hit;
    }

    @Override
    void answered(long @Nullable [] count) {
      if (count == null) {
        pending.failed(Reason.FAILED);
        return;
      }
      if (lives > 0 && count[0] == addend) {
        node.send(List.of(new PExpire(node, key, lives)));
      }
      pending.counted(hit, count[0]);
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
  private final class PExpire extends Sent<long[]> {
    private final Node node;
    private final byte[] key;

    PExpire(Node node, byte[] key, long millis) {
      super(CommandType.PEXPIRE, new Numbers(1), message.pExpire(key, millis));
      this.node = node;
      this.key = key;
    }

    @Override
    void answered(long @Nullable [] set) {
      if (set != null && set[0] == 1) {
        node.expiring().add(key);
      }
    }

    @Override
    void refused(String error) {}

    @Override
    void lost() {}
  }

  /** A hit of nothing. */
  private static final class Look extends Sent<long[]> {
    private final Pending pending;
    private final int hit;

    Look(byte[] message, Pending pending, int hit) {
      super(CommandType.GET, new Numbers(1), message);
      this.pending = pending;
      this.hit = hit;
    }

    @Override
    void answered(long @Nullable [] count) {
      pending.counted(hit, count == null ? 0 : count[0]);
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
}
