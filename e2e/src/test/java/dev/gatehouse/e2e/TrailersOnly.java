package dev.gatehouse.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * An HTTP/2 client whose requests are headers and trailers with no DATA between them: a body that neither ends at the headers nor ever
 * comes, which few clients can be made to say. In plain text, one connection a request.
 */
final class TrailersOnly {
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int GOAWAY = 7;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int TIMEOUT_MILLIS = 20_000;

  private TrailersOnly() {}

  /** The status of the answer to a POST. */
  static int post(InetSocketAddress server, String path) throws IOException {
    var sent = Unpooled.buffer();
    sent.writeCharSequence(PREFACE, US_ASCII);
    frame(sent, SETTINGS, 0, 0, Unpooled.EMPTY_BUFFER);
    var encoder = new DefaultHttp2HeadersEncoder();
    var head = new DefaultHttp2Headers()
        .method("POST")
        .scheme("http")
        .authority("shop.example")
        .path(path)
        .add("content-type", "application/json");
    frame(sent, HEADERS, END_HEADERS, 1, block(encoder, head));
    var trailers = new DefaultHttp2Headers().add("x-trailer", "from-client");
    frame(sent, HEADERS, END_HEADERS | END_STREAM, 1, block(encoder, trailers));
    try (var socket = new Socket()) {
      socket.connect(server, TIMEOUT_MILLIS);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      sent.readBytes(socket.getOutputStream(), sent.readableBytes());
      return status(new DataInputStream(socket.getInputStream()));
    }
  }

  private static ByteBuf block(Http2HeadersEncoder encoder, Http2Headers headers) {
    var block = Unpooled.buffer();
    try {
      encoder.encodeHeaders(1, headers, block);
    } catch (Http2Exception e) {
      throw new IllegalArgumentException(e);
    }
    return block;
  }

  private static void frame(ByteBuf to, int type, int flags, int stream, ByteBuf payload) {
    to.writeMedium(payload.readableBytes()).writeByte(type).writeByte(flags).writeInt(stream);
    to.writeBytes(payload);
  }

  private static int status(DataInputStream in) throws IOException {
    while (true) {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      in.readUnsignedByte(); // No flag adds padding to what Envoy sends.
      int stream = in.readInt();
      var payload = new byte[length];
      in.readFully(payload);
      if (type == GOAWAY || (type == RST_STREAM && stream == 1)) {
        throw new IOException("the server ended it with a frame of type " + type);
      }
      if (type == HEADERS && stream == 1) {
        return status(payload);
      }
    }
  }

  private static int status(byte[] block) {
    try {
      var headers =
          new DefaultHttp2HeadersDecoder(true).decodeHeaders(1, Unpooled.wrappedBuffer(block));
      return Integer.parseInt(headers.status().toString());
    } catch (Http2Exception e) {
      throw new IllegalArgumentException(e);
    }
  }
}
