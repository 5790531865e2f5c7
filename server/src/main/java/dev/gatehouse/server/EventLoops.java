package dev.gatehouse.server;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The event loops that gRPC, and whatever must stay on the same thread with it, run on: epoll where there is one, else NIO.
 * Their threads are named {@code gatehouse-loop-<group>-<n>}. Nothing that runs on them may block.
 */
public final class EventLoops implements AutoCloseable {
  /** What the names of all loop threads begin with. */
  public static final String THREAD_NAME = "gatehouse-loop";

  private static final FastThreadLocal<EventLoop> CURRENT = new FastThreadLocal<>();

  private final EventLoopGroup group;
  private final List<EventLoop> all;
  private final boolean epoll;

  private EventLoops(EventLoopGroup group, List<EventLoop> all, boolean epoll) {
    this.group = group;
    this.all = all;
    this.epoll = epoll;
  }

  /** @param count 0 means one a processor */
  public static EventLoops start(int count) {
    return start(count, THREAD_NAME);
  }

  /** Loops that are not for serving calls. */
  static EventLoops start(int count, String threadName) {
    return start(count, threadName, Epoll.isAvailable());
  }

  static EventLoops start(int count, String threadName, boolean epoll) {
    if (count < 0) {
      throw new IllegalArgumentException(
          "loops: " + count + " (expected: >= 0, where 0 means one a processor)");
    }
    int loops = count == 0 ? Runtime.getRuntime().availableProcessors() : count;
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    var group =
        new MultiThreadIoEventLoopGroup(loops, new DefaultThreadFactory(threadName, true), io);
    var all = new ArrayList<EventLoop>(loops);
    group.forEach(executor -> all.add((EventLoop) executor));
    all.forEach(loop -> loop.submit(() -> CURRENT.set(loop)).syncUninterruptibly());
    return new EventLoops(group, List.copyOf(all), epoll);
  }

  public EventLoopGroup group() {
    return group;
  }

  public List<EventLoop> all() {
    return all;
  }

  /** The loop that the caller runs on, or null on any other thread. */
  public static @Nullable EventLoop current() {
    return CURRENT.getIfExists();
  }

  /** {@code epoll} or {@code nio}. */
  public String transport() {
    return epoll ? "epoll" : "nio";
  }

  /** The channel that listens on these loops. */
  public Class<? extends ServerChannel> serverChannel() {
    return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /**
   * The channel that listens on a socket of the file system.
   *
   * @throws BindException if these loops are not epoll's, which alone can
   */
  Class<? extends ServerChannel> domainServerChannel() {
    if (!epoll) {
      throw new BindException(
          "a socket of the file system needs epoll, which is not there",
          new UnsupportedOperationException(transport()));
    }
    return EpollServerDomainSocketChannel.class;
  }

  /** The channel that connects from these loops. */
  public Class<? extends SocketChannel> clientChannel() {
    return epoll ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  /** Ends the loops at once; whoever runs on them is closed before. Returns when their threads ended, or after 2 s. */
  @Override
  public void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
