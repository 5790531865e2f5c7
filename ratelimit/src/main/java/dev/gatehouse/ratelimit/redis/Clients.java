package dev.gatehouse.ratelimit.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateAdapter;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.EventLoopGroupProvider;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.util.concurrent.EventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lettuce, set up so that it serves an event loop instead of having its own: a client a loop, connected and reconnected for as long as the
 * store lives.
 */
final class Clients {
  private static final Logger LOG = LoggerFactory.getLogger(Clients.class);
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);

  /** A host that has gone without a word, in contrast to a process that has ended, is noticed after this. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private static final Duration RETRY_FROM = Duration.ofMillis(50);
  private static final Duration RETRY_TO = Duration.ofSeconds(1);

  /** Both commands of every hit in flight, and some more. */
  private static final int REQUEST_QUEUE = 16_384;

  private final RedisURI uri;
  private final ClientResources shared;
  private final Queue<RedisClient> clients = new ConcurrentLinkedQueue<>();
  private final Queue<ClientResources> derived = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean warned = new AtomicBoolean();
  private volatile boolean closed;

  Clients(RedisURI uri) {
    this.uri = uri;
    uri.setTimeout(CONNECT_WITHIN);
    this.shared = DefaultClientResources.builder()
        .commandLatencyRecorder(CommandLatencyRecorder.disabled())
        .reconnectDelay(() ->
            Delay.fullJitter(RETRY_FROM, RETRY_TO, RETRY_FROM.toMillis(), TimeUnit.MILLISECONDS))
        .nettyCustomizer(new ConsolidateFlushes())
        .build();
  }

  /** Connects the loop, trying until it works. */
  void connect(RedisLoop loop) {
    var resources =
        shared.mutate().eventLoopGroupProvider(new OneLoop(loop.eventLoop())).build();
    var client = RedisClient.create(resources, uri);
    client.setOptions(options());
    client.addListener(new RedisConnectionStateAdapter() {
      @Override
      public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
        loop.sample();
      }
    });
    clients.add(client);
    derived.add(resources);
    connect(client, loop, RETRY_FROM);
  }

  private void connect(RedisClient client, RedisLoop loop, Duration retryAfter) {
    var _ = client.connectAsync(ByteArrayCodec.INSTANCE, uri).handle((connection, failure) -> {
      if (closed) {
        return false;
      }
      if (failure == null) {
        LOG.info("connected to Redis at {}:{}", uri.getHost(), uri.getPort());
        loop.connected(connection);
        return true;
      }
      if (!warned.getAndSet(true)) {
        LOG.warn(
            "Redis at {}:{} cannot be reached; until it can, limited requests are answered UNAVAILABLE: {}",
            uri.getHost(),
            uri.getPort(),
            reason(failure));
      }
      retry(client, loop, retryAfter);
      return false;
    });
  }

  private void retry(RedisClient client, RedisLoop loop, Duration after) {
    var twice = after.multipliedBy(2);
    var next = twice.compareTo(RETRY_TO) < 0 ? twice : RETRY_TO;
    var _ = shared
        .eventExecutorGroup()
        .schedule(() -> connect(client, loop, next), after.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static String reason(Throwable failure) {
    var cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private static ClientOptions options() {
    var socket = SocketOptions.builder()
        .connectTimeout(CONNECT_WITHIN)
        .tcpNoDelay(true)
        .keepAlive(SocketOptions.KeepAliveOptions.builder()
            .enable()
            .idle(SILENCE)
            .interval(Duration.ofSeconds(1))
            .count(3)
            .build());
    if (Epoll.isAvailable()) {
      socket.tcpUserTimeout(SocketOptions.TcpUserTimeoutOptions.builder()
          .enable()
          .tcpUserTimeout(SILENCE)
          .build());
    }
    return ClientOptions.builder()
        .autoReconnect(true)
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        // A hit whose answer was lost may have been counted; sent again it would be counted twice.
        .replayFilter(command -> true)
        .requestQueueSize(REQUEST_QUEUE)
        .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
        .socketOptions(socket.build())
        .build();
  }

  void close() {
    closed = true;
    var ends = clients.stream()
        .map(client -> client.shutdownAsync(0, 1, TimeUnit.SECONDS))
        .toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("connections to Redis did not close in time", e);
    }
    // These share everything but the loop; Lettuce wants each to be told nevertheless.
    for (var resources : derived) {
      resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(1, TimeUnit.SECONDS);
    }
    shared.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  /** All commands of a loop's round leave in one write. */
  private static final class ConsolidateFlushes implements NettyCustomizer {
    @Override
    public void afterChannelInitialized(Channel channel) {
      channel.pipeline().addFirst(new FlushConsolidationHandler(256, true));
    }
  }

  /** Gives a client the loop that it is to serve, and never ends it. */
  private record OneLoop(EventLoop loop) implements EventLoopGroupProvider {
    @Override
    @SuppressWarnings(
        "unchecked") // Lettuce asks for its transport's group, which our loop is of; it uses it as
    // an EventLoopGroup
    public <T extends EventLoopGroup> T allocate(Class<T> type) {
      return (T) loop;
    }

    @Override
    public int threadPoolSize() {
      return 1;
    }

    @Override
    public Future<Boolean> release(
        EventExecutorGroup group, long quietPeriod, long timeout, TimeUnit unit) {
      return ImmediateEventExecutor.INSTANCE.newSucceededFuture(true);
    }

    @Override
    public Future<Boolean> shutdown(long quietPeriod, long timeout, TimeUnit unit) {
      return ImmediateEventExecutor.INSTANCE.newSucceededFuture(true);
    }
  }
}
