package dev.gatehouse.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** An HTTP/1.1 upstream that answers {@code /records/NUMBER} with {@link Records}, as fast as they are taken. */
final class RecordsUpstream implements AutoCloseable {
  private final long bytes;
  private final Channel channel;

  /** @param bytes of each answer */
  RecordsUpstream(EventLoopGroup loop, long bytes) {
    this.bytes = bytes;
    this.channel = new ServerBootstrap()
        .group(loop)
        .channel(NioServerSocketChannel.class)
        .childHandler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel connection) {
            connection.pipeline().addLast(new HttpServerCodec(), new Exchange());
          }
        })
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .syncUninterruptibly()
        .channel();
  }

  int port() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  @Override
  public void close() {
    channel.close().syncUninterruptibly();
  }

  private final class Exchange extends SimpleChannelInboundHandler<HttpObject> {
    private Records records = Records.of(0, 0, false);
    private long sent = -1;

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
      if (message instanceof HttpRequest request) {
        var path = request.uri();
        records =
            Records.of(Integer.parseInt(path.substring(path.lastIndexOf('/') + 1)), bytes, false);
      }
      if (message instanceof LastHttpContent) {
        var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        head.headers()
            .set("content-type", "application/json")
            .set("content-length", records.length());
        var _ = context.write(head);
        sent = 0;
        send(context);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      send(context);
    }

    private void send(ChannelHandlerContext context) {
      while (sent >= 0 && context.channel().isWritable()) {
        var part = records.from(sent);
        sent += part.remaining();
        var content = Unpooled.wrappedBuffer(part);
        if (sent == records.length()) {
          sent = -1;
          var _ = context.write(new DefaultHttpContent(content));
          var _ = context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
        } else {
          var _ = context.writeAndFlush(new DefaultHttpContent(content));
        }
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      var _ = context.close();
    }
  }
}
