package dev.gatehouse.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpObjectDecoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Asks for {@link Records} over a connection each and compares what comes with what should, byte by byte as it comes. */
final class RecordsClient {
  private static final int CHUNK_BYTES = 1 << 16;
  private static final long SLOW_MILLIS = 100;

  private final EventLoopGroup loop;
  private final int port;
  private final long bytes;
  private final AtomicLong received = new AtomicLong();

  /** @param bytes of each text */
  RecordsClient(EventLoopGroup loop, int port, long bytes) {
    this.loop = loop;
    this.port = port;
    this.bytes = bytes;
  }

  /** Of all bodies so far. */
  long received() {
    return received.get();
  }

  /**
   * Completes when the whole text has come with its fields masked, and fails with what was found instead.
   *
   * @param slow takes what one read yields, then nothing for a tenth of a second
   */
  CompletableFuture<Void> fetch(int number, boolean slow) {
    var done = new CompletableFuture<Void>();
    new Bootstrap()
        .group(loop)
        .channel(NioSocketChannel.class)
        .option(ChannelOption.AUTO_READ, !slow)
        .handler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel connection) {
            connection
                .pipeline()
                .addLast(
                    new HttpClientCodec(
                        HttpObjectDecoder.DEFAULT_MAX_INITIAL_LINE_LENGTH,
                        HttpObjectDecoder.DEFAULT_MAX_HEADER_SIZE,
                        CHUNK_BYTES),
                    new Exchange(number, slow, done));
          }
        })
        .connect(InetAddress.getLoopbackAddress(), port)
        .addListener(connecting -> {
          if (!connecting.isSuccess()) {
            done.completeExceptionally(connecting.cause());
          }
        });
    return done;
  }

  private final class Exchange extends SimpleChannelInboundHandler<HttpObject> {
    private final int number;
    private final boolean slow;
    private final CompletableFuture<Void> done;
    private final Records expected;
    private long position;

    Exchange(int number, boolean slow, CompletableFuture<Void> done) {
      this.number = number;
      this.slow = slow;
      this.done = done;
      this.expected = Records.of(number, bytes, true);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      var request =
          new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/records/" + number);
      request.headers().set("host", "records.example").set("connection", "close");
      var _ = context.writeAndFlush(request);
      if (slow) {
        context.read();
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
      if (message instanceof HttpResponse response && response.status().code() != 200) {
        fail(context, "status " + response.status().code());
      }
      if (message instanceof HttpContent content) {
        received.addAndGet(content.content().readableBytes());
        if (!isExpected(content.content())) {
          fail(context, "not what should come near byte " + position);
        }
      }
      if (message instanceof LastHttpContent) {
        if (position == expected.length()) {
          done.complete(null);
        }
        fail(context, position + " bytes (expected: " + expected.length() + ")");
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      if (slow) {
        var _ = context.executor().schedule(context::read, SLOW_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    private boolean isExpected(ByteBuf content) {
      int at = content.readerIndex();
      while (at < content.writerIndex()) {
        var part = expected.from(position);
        int length = Math.min(part.remaining(), content.writerIndex() - at);
        if (length == 0
            || !content.nioBuffer(at, length).equals(part.limit(part.position() + length))) {
          return false;
        }
        at += length;
        position += length;
      }
      return true;
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      fail(context, "the connection ended after " + position + " bytes");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      fail(context, cause.toString());
    }

    private void fail(ChannelHandlerContext context, String why) {
      done.completeExceptionally(new IllegalStateException("text " + number + ": " + why));
      var _ = context.close();
    }
  }
}
