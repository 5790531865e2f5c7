package dev.gatehouse.server;

import static io.netty.handler.codec.http.HttpResponseStatus.BAD_REQUEST;
import static io.netty.handler.codec.http.HttpResponseStatus.METHOD_NOT_ALLOWED;
import static io.netty.handler.codec.http.HttpResponseStatus.NOT_FOUND;
import static io.netty.handler.codec.http.HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE;
import static io.netty.handler.codec.http.HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
import static io.netty.handler.codec.http.HttpResponseStatus.REQUEST_URI_TOO_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBufUtil;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers one connection's requests, one after the other: of the pages there are, in the way that each is asked for, and nothing else. */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

  private final Map<String, HttpPage> pages;

  /** A posted request is not answered yet. */
  private boolean waiting;

  AdminHandler(Map<String, HttpPage> pages) {
    this.pages = pages;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    var malformed = request.decoderResult().cause();
    if (malformed != null) {
      refuse(context, malformed);
      return;
    }
    if (waiting) {
      // The answers would have to wait for each other; who sends requests before the answers is
      // refused.
      var _ = context.close();
      return;
    }
    var path = path(request.uri());
    switch (pages.get(path)) {
      case null ->
        answer(context, AdminPage.text(NOT_FOUND.code(), "no such page; / lists those there are"));
      case HttpPage.Shown shown -> show(context, request, path, shown);
      case HttpPage.Posted posted -> post(context, request, path, posted);
    }
  }

  private static void show(
      ChannelHandlerContext context, FullHttpRequest request, String path, HttpPage.Shown shown) {
    boolean head = request.method().equals(HttpMethod.HEAD);
    if (!request.method().equals(HttpMethod.GET) && !head) {
      notAllowed(context, "GET, HEAD");
      return;
    }
    if (request.content().readableBytes() > AdminServer.MAX_BODY_BYTES) {
      tooLarge(context, AdminServer.MAX_BODY_BYTES);
      return;
    }
    AdminPage page;
    try {
      page = shown.page().get();
    } catch (RuntimeException e) {
      page = failed(path, e);
    }
    var response = response(page);
    if (head) {
      response.content().clear();
    }
    var _ = context.writeAndFlush(response);
  }

  private void post(
      ChannelHandlerContext context, FullHttpRequest request, String path, HttpPage.Posted posted) {
    if (!request.method().equals(HttpMethod.POST)) {
      notAllowed(context, "POST");
      return;
    }
    if (request.content().readableBytes() > posted.maxBytes()) {
      tooLarge(context, posted.maxBytes());
      return;
    }
    waiting = true;
    try {
      posted
          .handler()
          .posted(
              ByteBufUtil.getBytes(request.content()),
              page -> context.executor().execute(() -> {
                waiting = false;
                answer(context, page);
              }));
    } catch (RuntimeException e) {
      waiting = false;
      answer(context, failed(path, e));
    }
  }

  private static AdminPage failed(String path, RuntimeException mistake) {
    LOG.error("the page {} failed", path, mistake);
    return AdminPage.text(500, "failed; the log says why");
  }

  private static void notAllowed(ChannelHandlerContext context, String allowed) {
    var response = response(
        AdminPage.text(METHOD_NOT_ALLOWED.code(), "only " + allowed.replace(", ", " and ")));
    response.headers().set(HttpHeaderNames.ALLOW, allowed);
    var _ = context.writeAndFlush(response);
  }

  private static void tooLarge(ChannelHandlerContext context, int maxBytes) {
    answer(
        context,
        AdminPage.text(
            REQUEST_ENTITY_TOO_LARGE.code(), "a body of more than " + maxBytes + " bytes"));
  }

  private static void answer(ChannelHandlerContext context, AdminPage page) {
    var _ = context.writeAndFlush(response(page));
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
