package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.redis.RedisSettings.Endpoint;
import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.ratelimit.redis.RedisSettings.UnixSocket;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lettuce, set up so that it serves an event loop instead of having its own: a client a loop. It makes connections and keeps none: what
 * becomes of one that breaks is {@link Node}'s.
 */
final class Clients {
  private static final Logger LOG = LoggerFactory.getLogger(Clients.class);
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);

  /** A host that has gone without a word, in contrast to a process that has ended, is noticed after this. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  /** Whatever a {@link Node} lets be under way, and some more. */
  private static final int REQUEST_QUEUE = 2 * Node.MAX_IN_FLIGHT;

  private final RedisSettings settings;
  private final Certificates certificates;
  private final ClientResources shared;
  private final Outages outages = new Outages();
  private final Queue<RedisClient> clients = new ConcurrentLinkedQueue<>();
  private final Queue<ClientResources> derived = new ConcurrentLinkedQueue<>();

  Clients(RedisSettings settings) {
    this.settings = settings;
    this.certificates = new Certificates(settings.tls());
    this.shared = DefaultClientResources.builder()
        .commandLatencyRecorder(CommandLatencyRecorder.disabled())
        .nettyCustomizer(new ConsolidateFlushes())
        .build();
  }

  OfLoop of(EventLoop loop) {
    var resources = shared.mutate().eventLoopGroupProvider(new OneLoop(loop)).build();
    var client = RedisClient.create(resources);
    client.setOptions(options());
    clients.add(client);
    derived.add(resources);
    return new OfLoop(client);
  }

  private ClientOptions options() {
    return ClientOptions.builder()
        // A node connects anew by itself, and what was under way is not sent again: it may have
        // been counted.
        .autoReconnect(false)
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        // Nothing of RESP3 is used; RESP2 needs no HELLO, which proxies in front of Redis do not
        // know.
        .protocolVersion(ProtocolVersion.RESP2)
        .maintNotificationsConfig(MaintNotificationsConfig.disabled())
        .requestQueueSize(REQUEST_QUEUE)
        .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
        .socketOptions(socketOptions())
        .sslOptions(SslOptions.builder()
            .jdkSslProvider()
            .handshakeTimeout(CONNECT_WITHIN)
            .sslContext(certificates::configure)
            .build())
        .build();
  }

  private SocketOptions socketOptions() {
    var socket = SocketOptions.builder().connectTimeout(CONNECT_WITHIN).keepAlive(false);
    if (settings.topology() instanceof Topology.Single(UnixSocket _)) {
      return socket.build();
    }
    socket
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
    return socket.build();
  }

  void close() {
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

  /** Connects on one event loop. Looks files up and reads them on another thread. */
  final class OfLoop {
    private final RedisClient client;

    /** The sentinel that answered last: the first to be asked. */
    private volatile int sentinel;

    private OfLoop(RedisClient client) {
      this.client = client;
    }

    Outages outages() {
      return outages;
    }

    CompletionStage<StatefulRedisConnection<byte[], byte[]>> connect(Endpoint at) {
      return offLoop(() -> client.connectAsync(
          ByteArrayCodec.INSTANCE, uri(at, settings.login(), settings.database())));
    }

    /** To the master that the sentinels name now. */
    CompletionStage<StatefulRedisConnection<byte[], byte[]>> connect(Topology.Sentinel at) {
      return master(at, sentinel, at.sentinels().size()).thenCompose(this::connect);
    }

    private CompletionStage<HostPort> master(Topology.Sentinel of, int index, int left) {
      var asked = of.sentinels().get(index);
      return ask(asked, of)
          .handle((master, failure) -> {
            if (failure == null) {
              sentinel = index;
              return CompletableFuture.<HostPort>completedStage(master);
            }
            if (left == 1) {
              return CompletableFuture.<HostPort>failedStage(new IllegalStateException(
                  "the sentinel at " + asked + ": " + Outages.reason(failure)));
            }
            return master(of, (index + 1) % of.sentinels().size(), left - 1);
          })
          .thenCompose(stage -> stage);
    }

    private CompletionStage<HostPort> ask(HostPort asked, Topology.Sentinel of) {
      return offLoop(() -> client.connectAsync(StringCodec.UTF8, uri(asked, of.login(), 0)))
          .thenCompose(connection -> {
            var question = new AsyncCommand<>(new Command<>(
                new SentinelCommand(),
                new ValueListOutput<>(StringCodec.UTF8),
                new CommandArgs<>(StringCodec.UTF8)
                    .add("get-master-addr-by-name")
                    .add(of.master())));
            connection.dispatch(question);
            return question
                .toCompletableFuture()
                .orTimeout(CONNECT_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((answer, failure) -> {
                  var _ = connection.closeAsync();
                })
                .thenApply(answer -> named(answer, of.master()));
          });
    }

    private static HostPort named(@Nullable List<String> answer, String master) {
      if (answer == null || answer.size() != 2) {
        throw new IllegalStateException("it knows no master \"" + master + '"');
      }
      return new HostPort(answer.get(0), Integer.parseInt(answer.get(1)));
    }

    private <T> CompletionStage<T> offLoop(Supplier<? extends CompletionStage<T>> connect) {
      return CompletableFuture.supplyAsync(
              () -> {
                certificates.read();
                return connect.get();
              },
              shared.eventExecutorGroup())
          .thenCompose(stage -> stage);
    }
  }

  private RedisURI uri(Endpoint at, Login login, int database) {
    var uri = switch (at) {
      case HostPort(var host, int port) -> RedisURI.Builder.redis(host, port);
      case UnixSocket(var path) -> RedisURI.Builder.socket(path.toString());
    };
    uri.withDatabase(database).withTimeout(CONNECT_WITHIN);
    if (!login.isNone() && login.user().isEmpty()) {
      uri.withPassword(login.password().toCharArray());
    } else if (!login.isNone()) {
      uri.withAuthentication(login.user(), login.password().toCharArray());
    }
    var tls = settings.tls();
    if (tls != null && at instanceof HostPort) {
      uri.withSsl(true)
          .withVerifyPeer(tls.verifyHostname() ? SslVerifyMode.FULL : SslVerifyMode.CA);
    }
    return uri.build();
  }

  /** The command that sentinels alone know. */
  private static final class SentinelCommand implements ProtocolKeyword {
    @Override
    public byte[] getBytes() {
      return "SENTINEL".getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String toString() {
      return "SENTINEL";
    }
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
