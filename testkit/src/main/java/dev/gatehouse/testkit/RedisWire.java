package dev.gatehouse.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** A connection to Redis that asks one thing after another, in RESP2. */
final class RedisWire implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  RedisWire(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  /** @throws RedisSaid its error */
  @Nullable
  Object ask(String... command) throws IOException {
    var text = new StringBuilder("*" + command.length + "\r\n");
    for (var word : command) {
      text.append('$').append(word.getBytes(UTF_8).length).append("\r\n").append(word);
      text.append("\r\n");
    }
    socket.getOutputStream().write(text.toString().getBytes(UTF_8));
    return reply();
  }

  private @Nullable Object reply() throws IOException {
    var line = line();
    var rest = line.substring(1);
    return switch (line.charAt(0)) {
      case '+' -> rest;
      case '-' -> throw new RedisSaid(rest);
      case ':' -> Long.valueOf(rest);
      case '$' -> bulk(Integer.parseInt(rest));
      case '*' -> {
        int size = Integer.parseInt(rest);
        var all = new ArrayList<@Nullable Object>();
        for (int i = 0; i < size; i++) {
          all.add(reply());
        }
        yield size < 0 ? null : all;
      }
      default -> throw new IOException("not of RESP2: " + line);
    };
  }

  private @Nullable String bulk(int size) throws IOException {
    if (size < 0) {
      return null;
    }
    var bytes = in.readNBytes(size + 2);
    return new String(bytes, 0, size, UTF_8);
  }

  private String line() throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c != '\r'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the connection to Redis ended");
      }
      line.append((char) c);
    }
    var _ = in.read();
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
