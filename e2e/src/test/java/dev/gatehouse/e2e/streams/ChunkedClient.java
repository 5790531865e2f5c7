package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/** An HTTP/1.1 client that sends a body chunk by chunk, with trailers, and reads the answer meanwhile. One connection a request. */
final class ChunkedClient {
  private static final int PATIENCE_MILLIS = 15_000;

  /** @param length says the content-length and sends no trailers */
  record Request(
      String path, int number, List<ByteString> chunks, boolean trailers, boolean length) {}

  /** @param trailers names in lower case */
  record Answer(
      int status,
      TreeMap<String, String> headers,
      ByteString body,
      TreeMap<String, String> trailers) {}

  private ChunkedClient() {}

  static Answer send(int port, Request request) throws IOException {
    try (var socket = connect(port)) {
      var writer = Thread.ofVirtual().start(() -> write(socket, request));
      try {
        return read(new BufferedInputStream(socket.getInputStream()));
      } finally {
        writer.interrupt();
      }
    }
  }

  /** Sends the head and the first chunk, waits until the caller says so, and is gone. */
  static void begin(int port, Request request, Runnable meanwhile) throws IOException {
    try (var socket = connect(port)) {
      socket.getOutputStream().write(head(request));
      if (!request.chunks.isEmpty()) {
        chunk(socket.getOutputStream(), request.chunks.getFirst());
      }
      meanwhile.run();
    }
  }

  private static Socket connect(int port) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  private static void write(Socket socket, Request request) {
    try {
      var out = socket.getOutputStream();
      out.write(head(request));
      for (var chunk : request.chunks) {
        if (request.length) {
          chunk.writeTo(out);
        } else if (!chunk.isEmpty()) {
          chunk(out, chunk);
        }
        out.flush();
      }
      if (!request.length) {
        out.write(ascii(request.trailers ? "0\r\nx-trailer: from-client\r\n\r\n" : "0\r\n\r\n"));
      }
    } catch (IOException e) {
      // An answer may come, and the connection end, before all was sent.
    }
  }

  private static byte[] head(Request request) {
    var framing = request.length
        ? "content-length: "
            + request.chunks.stream().mapToInt(ByteString::size).sum()
        : "transfer-encoding: chunked";
    return ascii("POST "
        + request.path
        + " HTTP/1.1\r\nhost: shop\r\nx-stream: "
        + request.number
        + "\r\nte: trailers\r\n"
        + framing
        + "\r\n\r\n");
  }

  private static void chunk(OutputStream out, ByteString chunk) throws IOException {
    out.write(ascii(Integer.toHexString(chunk.size()) + "\r\n"));
    chunk.writeTo(out);
    out.write(ascii("\r\n"));
  }

  private static Answer read(InputStream in) throws IOException {
    var status = Integer.parseInt(line(in).split(" ", 3)[1]);
    var headers = fields(in);
    var trailers = new TreeMap<String, String>();
    ByteString body;
    if (headers.getOrDefault("transfer-encoding", "").equals("chunked")) {
      body = ByteString.EMPTY;
      for (var size = size(in); size > 0; size = size(in)) {
        body = body.concat(bytes(in, size));
        line(in);
      }
      trailers = fields(in);
    } else {
      body = bytes(in, Integer.parseInt(headers.getOrDefault("content-length", "0")));
    }
    return new Answer(status, headers, body, trailers);
  }

  private static int size(InputStream in) throws IOException {
    return Integer.parseInt(line(in), 16);
  }

  private static ByteString bytes(InputStream in, int size) throws IOException {
    var bytes = in.readNBytes(size);
    if (bytes.length < size) {
      throw new EOFException("the body ends after " + bytes.length + " of " + size + " bytes");
    }
    return ByteString.copyFrom(bytes);
  }

  private static TreeMap<String, String> fields(InputStream in) throws IOException {
    var fields = new TreeMap<String, String>();
    for (var line = line(in); !line.isEmpty(); line = line(in)) {
      var colon = line.indexOf(':');
      fields.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT),
          line.substring(colon + 1).trim());
    }
    return fields;
  }

  private static String line(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    for (var b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the connection ended in the middle of the answer");
      }
      line.write(b);
    }
    return line.toString(StandardCharsets.ISO_8859_1).trim();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
