package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Outcome;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Hit;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One event loop's way to Redis: its connection, its deadlines, its sampling of the clock. Everything but {@code volatile} is the loop's own. */
final class RedisLoop {
  /** Hits that were sent and not answered; more fail at once. At 10 ms it is room for 400,000 hits a second. */
  private static final int MAX_IN_FLIGHT = 4096;

  private static final Duration SAMPLE_EVERY = Duration.ofSeconds(1);

  /** A key outlives its window by this, since replicas know Redis's clock only to some milliseconds. */
  private static final long SLACK_MILLIS = 2000;

  private final EventLoop loop;
  private final Keys keys;
  private final RedisClock clock;
  private final Deadlines deadlines;
  private final CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
  private volatile @Nullable StatefulRedisConnection<byte[], byte[]> connection;
  private volatile boolean closed;
  private int inFlight;

  RedisLoop(EventLoop loop, Keys keys, Duration timeout, RedisClock clock) {
    this.loop = loop;
    this.keys = keys;
    this.clock = clock;
    this.deadlines = new Deadlines(loop, timeout.toNanos());
  }

  EventLoop eventLoop() {
    return loop;
  }

  /** Ends when this loop is connected and Redis's clock is known. */
  CompletableFuture<@Nullable Void> ready() {
    return ready;
  }

  boolean connected() {
    var c = connection;
    return c != null && c.isOpen();
  }

  void apply(List<Hit> hits, long now, Outcome outcome) {
    var redis = connection;
    if (redis == null || !redis.isOpen() || !clock.known()) {
      outcome.unavailable(Reason.NOT_CONNECTED);
      return;
    }
    if (inFlight + hits.size() > MAX_IN_FLIGHT) {
      outcome.unavailable(Reason.OVERLOADED);
      return;
    }
    var pending = new Pending(hits, outcome);
    var commands = new ArrayList<RedisCommand<byte[], byte[], ?>>(2 * hits.size());
    for (int i = 0; i < hits.size(); i++) {
      var hit = hits.get(i);
      var key = keys.of(hit, now);
      commands.add(new IncrBy(key, hit.addend(), pending, i));
      commands.add(pexpire(key, hit.limit().window().remaining(now) + SLACK_MILLIS));
    }
    inFlight += hits.size();
    deadlines.add(pending);
    try {
      redis.dispatch(commands);
    } catch (RedisException e) {
      inFlight -= hits.size();
      pending.failed(Reason.FAILED);
    }
  }

  private static Command<byte[], byte[], Long> pexpire(byte[] key, long millis) {
    var args = new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key).add(millis);
    return new Command<>(CommandType.PEXPIRE, new IntegerOutput<>(ByteArrayCodec.INSTANCE), args);
  }

  /** From now on hits go to this connection, which reconnects by itself. */
  void connected(StatefulRedisConnection<byte[], byte[]> established) {
    connection = established;
    execute(this::sampleFromNowOn);
  }

  private void sampleFromNowOn() {
    if (closed) {
      return;
    }
    var _ = loop.schedule(this::sampleFromNowOn, SAMPLE_EVERY.toMillis(), TimeUnit.MILLISECONDS);
    sample();
  }

  /** Asks Redis for its time. */
  void sample() {
    var redis = connection;
    if (redis == null || !redis.isOpen() || closed) {
      return;
    }
    try {
      redis.dispatch(new Time());
    } catch (RedisException e) {
      // The next one comes in a second, or when Redis is back.
      return;
    }
  }

  void close() {
    closed = true;
    connection = null;
  }

  private void execute(Runnable onLoop) {
    if (loop.inEventLoop()) {
      onLoop.run();
      return;
    }
    try {
      loop.execute(onLoop);
    } catch (RejectedExecutionException e) {
      // The loop has ended, and its calls with it.
      return;
    }
  }

  /** One hit. Lettuce ends a command on the channel's loop, which is this one; when it shuts down, also elsewhere. */
  private final class IncrBy extends Command<byte[], byte[], Long> {
    private final Pending pending;
    private final int hit;
    private boolean ended;

    IncrBy(byte[] key, long addend, Pending pending, int hit) {
      super(
          CommandType.INCRBY,
          new IntegerOutput<>(ByteArrayCodec.INSTANCE),
          new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key).add(addend));
      this.pending = pending;
      this.hit = hit;
    }

    @Override
    public void complete() {
      super.complete();
      execute(() -> {
        var count = getOutput().get();
        end();
        if (getOutput().hasError() || count == null) {
          pending.failed(Reason.FAILED);
        } else {
          pending.counted(hit, count);
        }
      });
    }

    @Override
    public boolean completeExceptionally(Throwable why) {
      boolean first = super.completeExceptionally(why);
      execute(this::lost);
      return first;
    }

    @Override
    public void cancel() {
      super.cancel();
      execute(this::lost);
    }

    private void lost() {
      end();
      pending.failed(Reason.NOT_CONNECTED);
    }

    private void end() {
      if (!ended) {
        ended = true;
        inFlight--;
      }
    }
  }

  private final class Time extends Command<byte[], byte[], List<byte[]>> {
    private final long sent = System.nanoTime();

    Time() {
      super(
          CommandType.TIME,
          new ValueListOutput<>(ByteArrayCodec.INSTANCE),
          new CommandArgs<>(ByteArrayCodec.INSTANCE));
    }

    @Override
    public void complete() {
      super.complete();
      var time = getOutput().get();
      if (getOutput().hasError() || time == null || time.size() != 2) {
        return;
      }
      long millis = number(time.get(0)) * 1000 + number(time.get(1)) / 1000;
      clock.sampled(millis, System.nanoTime() - sent);
      ready.complete(null);
    }

    private static long number(byte[] ascii) {
      return Long.parseLong(new String(ascii, StandardCharsets.US_ASCII));
    }
  }
}
