package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 upstream that answers chunk by chunk, with trailers, as the test says; a request names its number in {@code x-stream}. */
final class StreamingUpstream implements AutoCloseable {
  /**
   * @param early answers before it has the whole request
   * @param length says the content-length and sends no trailers
   */
  record Answer(List<ByteString> chunks, boolean trailers, boolean early, boolean length) {}

  /** @param trailer of the request; null if there was none */
  record Seen(
      ByteString body, @Nullable String length, @Nullable String trailer) {}

  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Map<Integer, Seen> seen = new ConcurrentHashMap<>();
  private final IntFunction<Answer> answers;
  private final Channel channel;

  StreamingUpstream(IntFunction<Answer> answers) {
    this.answers = answers;
    channel = new ServerBootstrap()
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

  /** What arrived of a request, when it has arrived whole; null if it has not. */
  @Nullable
  Seen seen(int number) {
    return seen.get(number);
  }

  @Override
  public void close() {
    channel.close().syncUninterruptibly();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  private final class Exchange extends SimpleChannelInboundHandler<HttpObject> {
    private int number;
    private ByteString body = ByteString.EMPTY;
    private @Nullable String length;
    private Answer answer = new Answer(List.of(), false, false, false);

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
      if (message instanceof HttpRequest request) {
        number = request.headers().getInt("x-stream", -1);
        length = request.headers().get("content-length");
        body = ByteString.EMPTY;
        answer = answers.apply(number);
        if (answer.early) {
          begin(context);
        }
      }
      if (message instanceof HttpContent content) {
        body = body.concat(ByteString.copyFrom(content.content().nioBuffer()));
      }
      if (message instanceof LastHttpContent last) {
        seen.put(number, new Seen(body, length, last.trailingHeaders().get("x-trailer")));
        if (!answer.early) {
          begin(context);
        }
        end(context);
      }
    }

    private void begin(ChannelHandlerContext context) {
      var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
      head.headers().set("x-stream", number).set("server", "upstream");
      if (answer.length) {
        head.headers()
            .set(
                "content-length",
                answer.chunks.stream().mapToInt(ByteString::size).sum());
      } else {
        head.headers().set("transfer-encoding", "chunked");
      }
      context.write(head);
      for (var chunk : answer.chunks) {
        context.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(chunk.toByteArray())));
      }
    }

    private void end(ChannelHandlerContext context) {
      var last = new DefaultLastHttpContent();
      if (answer.trailers && !answer.length) {
        last.trailingHeaders().set("x-trailer", "from-upstream");
      }
      context.writeAndFlush(last);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      var _ = context.close();
    }
  }
}
