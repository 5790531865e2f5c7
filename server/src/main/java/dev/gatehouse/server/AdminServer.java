package dev.gatehouse.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The admin interface, and other listeners that show its pages, over HTTP/1.1, on one loop of their own: writing a large metrics page takes milliseconds that no call should
 * wait for. Everything about it is bounded: connections, the request's size, the time a request takes to come.
 */
final class AdminServer implements AutoCloseable {
  static final int MAX_CONNECTIONS = 64;

  /** Where requests are posted there is a pool of callers, and a probe must find room beside them. */
  static final int MAX_POSTING_CONNECTIONS = 512;

  static final int MAX_LINE_BYTES = 4 << 10;
  static final int MAX_HEADER_BYTES = 16 << 10;
  static final int MAX_BODY_BYTES = 1 << 10;
  private static final int READ_TIMEOUT_SECONDS = 30;

  private final EventLoops loop;
  private final Channel channel;
  private final List<Channel> others = new ArrayList<>();

  private AdminServer(EventLoops loop, Channel channel) {
    this.loop = loop;
    this.channel = channel;
  }

  /**
   * @param pages by path
   * @throws BindException if the address is taken or is not ours
   */
  static AdminServer start(InetSocketAddress address, Map<String, HttpPage> pages) {
    var loop = EventLoops.start(1, "gatehouse-admin");
    try {
      return new AdminServer(loop, bind(loop, "admin", address, pages));
    } catch (BindException e) {
      loop.close();
      throw e;
    }
  }

  /**
   * Another listener.
   *
   * @throws BindException if the address is taken or is not ours
   */
  void listen(String name, InetSocketAddress address, Map<String, HttpPage> pages) {
    others.add(bind(loop, name, address, pages));
  }

  private static Channel bind(
      EventLoops loop, String name, InetSocketAddress address, Map<String, HttpPage> pages) {
    var bound = new ServerBootstrap()
        .group(loop.group())
        .channel(loop.serverChannel())
        .option(ChannelOption.SO_BACKLOG, MAX_CONNECTIONS)
        .childHandler(new Pipeline(pages))
        .bind(address)
        .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw BindException.of(address, name, bound.cause());
    }
    return bound.channel();
  }

  InetSocketAddress address() {
    return (InetSocketAddress) channel.localAddress();
  }

  /** Where the other listeners are, in their order. */
  List<InetSocketAddress> others() {
    return others.stream()
        .map(other -> (InetSocketAddress) other.localAddress())
        .toList();
  }

  @Override
  public void close() {
    others.forEach(other -> other.close().awaitUninterruptibly(1, TimeUnit.SECONDS));
    channel.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
    loop.close();
  }

  private static final class Pipeline extends ChannelInitializer<SocketChannel> {
    private final Map<String, HttpPage> pages;
    private final int maxConnections;
    private final int maxBodyBytes;
    private final AtomicInteger connections = new AtomicInteger();

    Pipeline(Map<String, HttpPage> pages) {
      this.pages = pages;
      int posted = 0;
      for (var page : pages.values()) {
        posted = Math.max(posted, page instanceof HttpPage.Posted post ? post.maxBytes() : 0);
      }
      this.maxConnections = posted == 0 ? MAX_CONNECTIONS : MAX_POSTING_CONNECTIONS;
      this.maxBodyBytes = Math.max(MAX_BODY_BYTES, posted);
    }

    @Override
    protected void initChannel(SocketChannel channel) {
      connections.incrementAndGet();
      channel.closeFuture().addListener(closed -> connections.decrementAndGet());
      if (connections.get() > maxConnections) {
        var _ = channel.close();
        return;
      }
      channel
          .pipeline()
          .addLast(new ReadTimeoutHandler(READ_TIMEOUT_SECONDS))
          .addLast(new HttpServerCodec(new HttpDecoderConfig()
              .setMaxInitialLineLength(MAX_LINE_BYTES)
              .setMaxHeaderSize(MAX_HEADER_BYTES)))
          .addLast(new HttpServerKeepAliveHandler())
          .addLast(new HttpObjectAggregator(maxBodyBytes, true))
          .addLast(new AdminHandler(pages));
    }
  }
}
