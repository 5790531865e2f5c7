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
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The admin interface over HTTP/1.1, on one loop of its own: writing a large metrics page takes milliseconds that no call should
 * wait for. Everything about it is bounded: connections, the request's size, the time a request takes to come.
 */
final class AdminServer implements AutoCloseable {
  static final int MAX_CONNECTIONS = 64;
  static final int MAX_LINE_BYTES = 4 << 10;
  static final int MAX_HEADER_BYTES = 16 << 10;
  static final int MAX_BODY_BYTES = 1 << 10;
  private static final int READ_TIMEOUT_SECONDS = 30;

  private final EventLoops loop;
  private final Channel channel;

  private AdminServer(EventLoops loop, Channel channel) {
    this.loop = loop;
    this.channel = channel;
  }

  /**
   * @param pages by path
   * @throws BindException if the address is taken or is not ours
   */
  static AdminServer start(InetSocketAddress address, Map<String, Supplier<AdminPage>> pages) {
    var loop = EventLoops.start(1, "gatehouse-admin");
    var bound = new ServerBootstrap()
        .group(loop.group())
        .channel(loop.serverChannel())
        .option(ChannelOption.SO_BACKLOG, MAX_CONNECTIONS)
        .childHandler(new Pipeline(pages))
        .bind(address)
        .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      loop.close();
      throw BindException.of(address, "admin", bound.cause());
    }
    return new AdminServer(loop, bound.channel());
  }

  InetSocketAddress address() {
    return (InetSocketAddress) channel.localAddress();
  }

  @Override
  public void close() {
    channel.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
    loop.close();
  }

  private static final class Pipeline extends ChannelInitializer<SocketChannel> {
    private final Map<String, Supplier<AdminPage>> pages;
    private final AtomicInteger connections = new AtomicInteger();

    Pipeline(Map<String, Supplier<AdminPage>> pages) {
      this.pages = pages;
    }

    @Override
    protected void initChannel(SocketChannel channel) {
      connections.incrementAndGet();
      channel.closeFuture().addListener(closed -> connections.decrementAndGet());
      if (connections.get() > MAX_CONNECTIONS) {
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
          .addLast(new HttpObjectAggregator(MAX_BODY_BYTES, true))
          .addLast(new AdminHandler(pages));
    }
  }
}
