package dev.gatehouse.sandbox;

import com.google.protobuf.ByteString;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A small real HTTP/1.1 server behind the gate: it answers as it is told and remembers what it saw. */
public final class Upstream implements AutoCloseable {
  /** What is remembered at most; older ones are forgotten. */
  private static final int MEMORY = 1_000;

  private static final int MAX_BODY_BYTES = 32 << 20;

  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Function<Seen, Reply> usual;
  private final ArrayDeque<Seen> seen = new ArrayDeque<>();
  private @Nullable Reply told;
  private final Channel channel;

  /** A request as it arrived. */
  public record Seen(String method, String path, List<Field> fields, ByteString body) {
    /** All values of a header, in order; empty when it is not there. */
    public List<String> header(String name) {
      return Field.values(fields, name);
    }

    public String text() {
      return body.toStringUtf8();
    }
  }

  /** What to answer; {@code content-length} is added. */
  public record Reply(int status, List<Field> fields, ByteString body) {}

  private Upstream(InetSocketAddress address, Function<Seen, Reply> usual) {
    this.usual = usual;
    this.channel = new ServerBootstrap()
        .group(loop)
        .channel(NioServerSocketChannel.class)
        .childHandler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel connection) {
            connection
                .pipeline()
                .addLast(
                    new HttpServerCodec(), new HttpObjectAggregator(MAX_BODY_BYTES), new Handler());
          }
        })
        .bind(address)
        .syncUninterruptibly()
        .channel();
  }

  /**
   * @param address port 0 takes a free one
   * @param usual what to answer unless told otherwise
   */
  public static Upstream start(InetSocketAddress address, Function<Seen, Reply> usual) {
    return new Upstream(address, usual);
  }

  public int port() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /** From now on every request is answered so; null answers as usual again. */
  public synchronized void tell(@Nullable Reply reply) {
    told = reply;
  }

  /** What arrived since the last call, oldest first. */
  public synchronized List<Seen> take() {
    var all = new ArrayList<>(seen);
    seen.clear();
    return all;
  }

  private synchronized @Nullable Reply remember(Seen request) {
    if (seen.size() == MEMORY) {
      seen.removeFirst();
    }
    seen.addLast(request);
    return told;
  }

  @Override
  public void close() {
    channel.close().syncUninterruptibly();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  private final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      var fields = request.headers().entries().stream()
          .map(e -> new Field(e.getKey(), e.getValue()))
          .toList();
      var arrived = new Seen(
          request.method().name(),
          request.uri(),
          fields,
          ByteString.copyFrom(request.content().nioBuffer()));
      var instead = remember(arrived);
      var reply = instead != null ? instead : usual.apply(arrived);
      var response = new DefaultFullHttpResponse(
          HttpVersion.HTTP_1_1,
          HttpResponseStatus.valueOf(reply.status),
          Unpooled.wrappedBuffer(reply.body.asReadOnlyByteBuffer()));
      for (var field : reply.fields) {
        response.headers().add(field.name(), field.value());
      }
      response.headers().set(HttpHeaderNames.CONTENT_LENGTH, reply.body.size());
      var write = context.writeAndFlush(response);
      if (!HttpUtil.isKeepAlive(request)) {
        write.addListener(ChannelFutureListener.CLOSE);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      var _ = context.close();
    }
  }
}
