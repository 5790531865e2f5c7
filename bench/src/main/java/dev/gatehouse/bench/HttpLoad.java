package dev.gatehouse.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sends one HTTP/1.1 request again and again over connections that are kept, each of which has one request in flight. The responses have
 * no body. Spends as little as it can on each: it shares the machine with what is measured.
 */
final class HttpLoad implements AutoCloseable {
  private static final int MOST_WAITING = 4_096;
  private static final byte[] BLANK_LINE = {'\r', '\n', '\r', '\n'};

  /** Of a status line, where the status begins. */
  private static final int STATUS_AT = "HTTP/1.1 ".length();

  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final byte[] request;
  private final List<Connection> connections = new ArrayList<>();
  private final AtomicInteger open = new AtomicInteger();

  // Of the loop.
  private final ArrayDeque<Connection> idle = new ArrayDeque<>();
  private final ArrayDeque<Long> waiting = new ArrayDeque<>();
  private Recorder recorder = new Recorder();
  private long again;

  HttpLoad(int port, int connections, byte[] request) {
    this.request = request;
    for (int i = 0; i < connections; i++) {
      var connection = new Connection();
      connection.channel = new Bootstrap()
          .group(loop)
          .channel(NioSocketChannel.class)
          .handler(connection)
          .connect(InetAddress.getLoopbackAddress(), port)
          .syncUninterruptibly()
          .channel();
      this.connections.add(connection);
      idle.add(connection);
    }
  }

  /** As many as are answered: each answer is followed by the next request. */
  Load.Result saturate(double seconds) throws InterruptedException {
    long began = System.nanoTime();
    long end = began + (long) (seconds * 1e9);
    var recorder = begin(end);
    open.addAndGet(connections.size());
    loop.execute(() -> connections.forEach(each -> send(System.nanoTime())));
    awaitQuiet(end);
    return recorder.result((System.nanoTime() - began) / 1e9);
  }

  /**
   * At a constant rate whatever the answers do. A request that finds no connection free waits for one; its latency counts from when it
   * was due.
   */
  Load.Result atRate(double perSecond, double seconds) throws InterruptedException {
    var recorder = begin(0);
    long began = System.nanoTime();
    long end = began + (long) (seconds * 1e9);
    double gap = 1e9 / perSecond;
    for (long sent = 0; ; sent++) {
      long due = began + (long) (sent * gap);
      if (due >= end) {
        break;
      }
      for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
        LockSupport.parkNanos(wait);
      }
      if (open.get() < MOST_WAITING) {
        open.incrementAndGet();
        loop.execute(() -> send(due));
      } else {
        recorder.fail();
      }
    }
    awaitQuiet(end);
    return recorder.result(seconds);
  }

  /** @param until when an answer is no more followed by the next request */
  private Recorder begin(long until) throws InterruptedException {
    var fresh = new Recorder();
    loop.submit(() -> {
          recorder = fresh;
          again = until;
        })
        .sync();
    return fresh;
  }

  private void send(long due) {
    var connection = idle.poll();
    if (connection == null) {
      waiting.add(due);
    } else {
      connection.send(due);
    }
  }

  private void awaitQuiet(long end) throws InterruptedException {
    while (System.nanoTime() < end || open.get() > 0) {
      Thread.sleep(1);
      if (System.nanoTime() > end + 10_000_000_000L) {
        throw new IllegalStateException(open.get() + " requests were never answered");
      }
    }
  }

  @Override
  public void close() {
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
    private @Nullable Channel channel;
    private long due;

    // Of the response that is being read.
    private int at;
    private int blank;
    private boolean succeeds;

    void send(long due) {
      this.due = due;
      var connected = Objects.requireNonNull(channel);
      var _ = connected.writeAndFlush(Unpooled.wrappedBuffer(request), connected.voidPromise());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
      while (bytes.isReadable()) {
        byte next = bytes.readByte();
        if (at++ == STATUS_AT) {
          succeeds = next == '2';
        }
        blank = next == BLANK_LINE[blank] ? blank + 1 : next == '\r' ? 1 : 0;
        if (blank == BLANK_LINE.length) {
          answered();
        }
      }
    }

    private void answered() {
      at = 0;
      blank = 0;
      long now = System.nanoTime();
      recorder.add(now - due, succeeds);
      if (now < again) {
        send(now);
        return;
      }
      open.decrementAndGet();
      var next = waiting.poll();
      if (next == null) {
        idle.add(this);
      } else {
        send(next);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      recorder.fail();
    }
  }
}
