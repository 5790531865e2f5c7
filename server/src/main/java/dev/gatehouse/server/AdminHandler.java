package dev.gatehouse.server;

import static io.netty.handler.codec.http.HttpResponseStatus.BAD_REQUEST;
import static io.netty.handler.codec.http.HttpResponseStatus.METHOD_NOT_ALLOWED;
import static io.netty.handler.codec.http.HttpResponseStatus.NOT_FOUND;
import static io.netty.handler.codec.http.HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
import static io.netty.handler.codec.http.HttpResponseStatus.REQUEST_URI_TOO_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.timeout.ReadTimeoutException;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers one connection's requests: GET and HEAD of the pages there are, and nothing else. */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

  private final Map<String, Supplier<AdminPage>> pages;

  AdminHandler(Map<String, Supplier<AdminPage>> pages) {
    this.pages = pages;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    var malformed = request.decoderResult().cause();
    if (malformed != null) {
      refuse(context, malformed);
      return;
    }
    var response = response(page(request));
    if (response.status().equals(METHOD_NOT_ALLOWED)) {
      response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
    }
    if (request.method().equals(HttpMethod.HEAD)) {
      response.content().clear();
    }
    var _ = context.writeAndFlush(response);
  }

  private AdminPage page(FullHttpRequest request) {
    var found = pages.get(path(request.uri()));
    if (found == null) {
      return AdminPage.text(NOT_FOUND.code(), "no such page; / lists those there are");
    }
    if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
      return AdminPage.text(METHOD_NOT_ALLOWED.code(), "only GET and HEAD");
    }
    try {
      return found.get();
    } catch (RuntimeException e) {
      LOG.error("the admin page {} failed", path(request.uri()), e);
      return AdminPage.text(500, "failed; the log says why");
    }
  }

  private static String path(String uri) {
    int query = uri.indexOf('?');
    return query < 0 ? uri : uri.substring(0, query);
  }

  /** After what is no HTTP nothing that follows can be trusted to be one. */
  private static void refuse(ChannelHandlerContext context, Throwable malformed) {
    var status = switch (malformed) {
      case TooLongHttpLineException line -> REQUEST_URI_TOO_LONG;
      case TooLongHttpHeaderException header -> REQUEST_HEADER_FIELDS_TOO_LARGE;
      default -> BAD_REQUEST;
    };
    context
        .writeAndFlush(response(AdminPage.text(status.code(), status.reasonPhrase())))
        .addListener(ChannelFutureListener.CLOSE);
  }

  private static DefaultFullHttpResponse response(AdminPage page) {
    var response = new DefaultFullHttpResponse(
        HttpVersion.HTTP_1_1,
        HttpResponseStatus.valueOf(page.status()),
        Unpooled.copiedBuffer(page.body(), UTF_8));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, page.contentType())
        .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
        .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
        .set("x-content-type-options", "nosniff");
    return response;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof ReadTimeoutException)) {
      LOG.debug("an admin connection failed", cause);
    }
    var _ = context.close();
  }
}
