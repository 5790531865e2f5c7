package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateAdapter;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.CommandKeyword;
import io.lettuce.core.protocol.CommandType;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A Redis server as one event loop sees it: the loop's own connection to it, made again whenever it breaks; what is under way on it; and
 * whether it answers ({@link Breaker}). Everything but {@code volatile} is the loop's own.
 *
 * <p>Once a second it is asked for its time, which is also the question that a server which fell silent is tried with: one at a time, so
 * that nothing piles up in front of a server that hangs. One that says nothing for {@link #SILENCE} is hung up on and looked up anew, for
 * the name or the sentinels may say another by now.
 */
final class Node {
  /** Commands under way; more fail at once. At 10 ms it is room for 800,000 commands a second. */
  static final int MAX_IN_FLIGHT = 8192;

  private static final Duration ASK_EVERY = Duration.ofSeconds(1);
  private static final Duration SILENCE = Duration.ofSeconds(2);
  private static final Duration RETRY_FROM = Duration.ofMillis(50);
  private static final Duration RETRY_TO = Duration.ofSeconds(1);

  /** Commands that wait for a first connection to a node that a cluster sent us to. */
  private static final int MAX_WAITING = 1024;

  /** Hears of what a node does, on the loop. */
  interface Watcher {
    void connected(Node node);

    /** It went away, or could not be reached. */
    void away(Node node);

    void toldTime(Node node, long redisMillis, long roundTripNanos);

    /** @return whether the command was sent on because of that error */
    boolean redirect(Node node, Sent<?> command, String error);
  }

  private final String name;
  private final EventLoop loop;
  private final Supplier<CompletionStage<StatefulRedisConnection<byte[], byte[]>>> connector;
  private final Watcher watcher;
  private final Outages outages;
  private final long timeoutNanos;
  private final Breaker breaker = new Breaker();
  private final ArrayDeque<Sent<?>> waiting = new ArrayDeque<>();

  /** What it has confirmed on this connection. */
  private final Expiring expiring = new Expiring();

  private volatile @Nullable StatefulRedisConnection<byte[], byte[]> connection;
  private volatile boolean closed;
  private long connectedAt;
  private long retryMillis = RETRY_FROM.toMillis();
  private int inFlight;
  private @Nullable Time question;
  private @Nullable Load loading;
  private int lateAnswers;

  Node(
      String name,
      EventLoop loop,
      Supplier<CompletionStage<StatefulRedisConnection<byte[], byte[]>>> connector,
      Duration timeout,
      Outages outages,
      Watcher watcher) {
    this.name = name;
    this.loop = loop;
    this.connector = connector;
    this.timeoutNanos = timeout.toNanos();
    this.outages = outages;
    this.watcher = watcher;
  }

  /** Where it is, as the logs call it. */
  @Override
  public String toString() {
    return name;
  }

  boolean connected() {
    var c = connection;
    return c != null && c.isOpen();
  }

  /** Whether commands would be sent and, as far as one knows, answered. */
  boolean available() {
    return connected() && !breaker.open();
  }

  Expiring expiring() {
    return expiring;
  }

  /** Why so many commands more cannot be sent now; null if they can. */
  @Nullable
  Reason refusal(int commands) {
    if (!connected()) {
      return Reason.NOT_CONNECTED;
    }
    if (breaker.open()) {
      return Reason.NOT_ANSWERING;
    }
    return inFlight + commands > MAX_IN_FLIGHT ? Reason.OVERLOADED : null;
  }

  /** Sends them in one write; where it cannot, they end as lost. */
  void send(List<? extends Sent<?>> commands) {
    long due = System.nanoTime() + timeoutNanos;
    for (int i = 0; i < commands.size(); i++) {
      commands.get(i).leaves(this, due);
    }
    inFlight += commands.size();
    var redis = connection;
    if (redis == null) {
      commands.forEach(command -> command.lose(this));
      return;
    }
    try {
      redis.dispatch(commands);
    } catch (RedisException e) {
      commands.forEach(command -> command.lose(this));
    }
  }

  /**
   * Sends a command that another node of the cluster sent here. It waits for the connection if there is none yet.
   *
   * @param asking whether the slot is still on its way to this node
   */
  void forward(Sent<?> command, boolean asking) {
    command.reset();
    if (connected()) {
      send(asking ? List.of(new Asking(), command) : List.of(command));
      return;
    }
    command.leaves(this, System.nanoTime() + timeoutNanos);
    inFlight++;
    if (closed || asking || connectedAt != 0 || waiting.size() >= MAX_WAITING) {
      command.lose(this);
      return;
    }
    waiting.add(command);
  }

  void ended() {
    inFlight--;
  }

  /** A command was answered; {@code due} says whether in time. */
  void answered(long due) {
    if (!breaker.calm() && System.nanoTime() - due <= 0) {
      breaker.answered();
    }
  }

  /** A command was not answered in time. */
  void timedOut() {
    if (breaker.timedOut()) {
      outages.silent(name);
      lateAnswers = 0;
      ask();
      watcher.away(this);
    }
  }

  boolean redirect(Sent<?> command, String error) {
    if (error.startsWith("READONLY")) {
      // It is no master any more. Whoever names masters says a better one.
      hangUp();
      return false;
    }
    if (error.startsWith("NOSCRIPT")) {
      // Somebody has emptied its memory of scripts, or a replica took over. Nothing has run.
      load();
      forward(command, false);
      return true;
    }
    if (error.startsWith("TRYAGAIN")) {
      // Some of the command's keys have left for another node; in a moment all have.
      command.reset();
      var _ = loop.schedule(() -> send(List.of(command)), 1, TimeUnit.MILLISECONDS);
      return true;
    }
    return watcher.redirect(this, command, error);
  }

  void complain(String error) {
    outages.refused(name, error);
  }

  boolean inLoop() {
    return loop.inEventLoop();
  }

  void execute(Runnable onLoop) {
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

  /** Connects, and connects again whenever it breaks, until it {@linkplain #leave leaves}. */
  void connect() {
    if (closed) {
      return;
    }
    var _ = connector
        .get()
        .whenComplete((established, failure) -> execute(() -> {
          if (failure == null) {
            established(established);
          } else if (!closed) {
            outages.unreachable(name, failure);
            gone();
          }
        }));
  }

  private void established(StatefulRedisConnection<byte[], byte[]> fresh) {
    if (closed) {
      var _ = fresh.closeAsync();
      return;
    }
    fresh.addListener(new RedisConnectionStateAdapter() {
      @Override
      public void onRedisDisconnected(RedisChannelHandler<?, ?> which) {
        execute(() -> broken(fresh));
      }
    });
    connection = fresh;
    connectedAt = System.nanoTime();
    question = null;
    breaker.close();
    outages.reachable(name);
    if (!fresh.isOpen()) {
      // It broke before anybody listened.
      broken(fresh);
      return;
    }
    expiring.clear();
    loading = null;
    load();
    askFromNowOn(fresh);
    for (var command = waiting.poll(); command != null; command = waiting.poll()) {
      inFlight--;
      send(List.of(command));
    }
    watcher.connected(this);
  }

  private void broken(StatefulRedisConnection<byte[], byte[]> which) {
    if (!which.equals(connection)) {
      return;
    }
    connection = null;
    question = null;
    if (System.nanoTime() - connectedAt > RETRY_TO.toNanos()) {
      retryMillis = RETRY_FROM.toMillis();
    }
    var _ = which.closeAsync();
    if (!closed) {
      outages.unreachable(name, null);
      gone();
    }
  }

  private void gone() {
    for (var command = waiting.poll(); command != null; command = waiting.poll()) {
      command.lose(this);
    }
    long after = ThreadLocalRandom.current().nextLong(retryMillis / 2, retryMillis + 1);
    retryMillis = Math.min(2 * retryMillis, RETRY_TO.toMillis());
    var _ = loop.schedule(this::connect, after, TimeUnit.MILLISECONDS);
    watcher.away(this);
  }

  private void hangUp() {
    var current = connection;
    if (current != null) {
      broken(current);
    }
  }

  private void askFromNowOn(StatefulRedisConnection<byte[], byte[]> on) {
    if (!on.equals(connection)) {
      return;
    }
    var asked = question;
    if (asked != null && System.nanoTime() - asked.sent > SILENCE.toNanos()) {
      outages.silent(name);
      hangUp();
      return;
    }
    ask();
    var _ = loop.schedule(() -> askFromNowOn(on), ASK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Gives it the script, unless that is under way; what is sent behind it finds it there. */
  private void load() {
    if (loading == null) {
      var load = new Load();
      loading = load;
      send(List.of(load));
    }
  }

  /** For its time, unless it is away or a question is on its way already. */
  void ask() {
    if (question != null || !connected()) {
      return;
    }
    var time = new Time();
    question = time;
    send(List.of(time));
  }

  private void told(Time answer, long redisMillis) {
    if (question != answer) {
      return;
    }
    question = null;
    long roundTrip = System.nanoTime() - answer.sent;
    watcher.toldTime(this, redisMillis, roundTrip);
    if (!breaker.open()) {
      return;
    }
    if (roundTrip <= timeoutNanos) {
      breaker.close();
      outages.reachable(name);
      watcher.connected(this);
      return;
    }
    // The first late answer may be an old question's; after that it is slow, and is asked more and
    // more rarely.
    long after = lateAnswers == 0
        ? 0
        : Math.min(RETRY_FROM.toMillis() << Math.min(lateAnswers, 10), RETRY_TO.toMillis());
    lateAnswers++;
    var _ = loop.schedule(this::ask, after, TimeUnit.MILLISECONDS);
  }

  /** Connects no more, and leaves the connection to whoever made it. */
  void leave() {
    closed = true;
    connection = null;
  }

  /** Closes the connection and connects no more. */
  void hangUpForGood() {
    var last = connection;
    leave();
    if (last != null) {
      var _ = last.closeAsync();
    }
  }

  /** The question for the server's clock, which is also the one whether it answers. */
  private final class Time extends Sent<List<byte[]>> {
    private final long sent = System.nanoTime();

    Time() {
      super(CommandType.TIME, new ValueListOutput<>(ByteArrayCodec.INSTANCE), args());
    }

    @Override
    void answered(@Nullable List<byte[]> time) {
      if (time != null && time.size() == 2) {
        told(this, number(time.get(0)) * 1000 + number(time.get(1)) / 1000);
      }
    }

    private static long number(byte[] ascii) {
      return Long.parseLong(new String(ascii, StandardCharsets.US_ASCII));
    }

    /** A user may be forbidden to ask; then the clock stays unknown and nothing is counted. */
    @Override
    void refused(String error) {
      if (question == this) {
        question = null;
      }
    }

    @Override
    void lost() {
      if (question == this) {
        question = null;
      }
    }
  }

  /** {@link Script}, ahead of the first use of its name. */
  private final class Load extends Sent<String> {
    Load() {
      super(
          CommandType.SCRIPT,
          new StatusOutput<>(ByteArrayCodec.INSTANCE),
          args().add(CommandKeyword.LOAD).add(Script.TEXT));
    }

    @Override
    void answered(@Nullable String name) {
      ended();
    }

    @Override
    void refused(String error) {
      ended();
    }

    @Override
    void lost() {
      ended();
    }

    private void ended() {
      if (loading == this) {
        loading = null;
      }
    }
  }

  /** Lets the next command into a slot that is still being moved here. */
  private static final class Asking extends Sent<String> {
    Asking() {
      super(CommandType.ASKING, new StatusOutput<>(ByteArrayCodec.INSTANCE), args());
    }

    @Override
    void answered(@Nullable String ok) {}

    @Override
    void refused(String error) {}

    @Override
    void lost() {}
  }
}
