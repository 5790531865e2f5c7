package dev.gatehouse.e2e.raw;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A client on a connection of its own, which sends byte for byte what a test wants. */
public final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 30_000;

  private final Socket socket;
  private final InputStream in;
  private final Outgoing out;

  private RawClient(Socket socket) throws IOException {
    this.socket = socket;
    in = new BufferedInputStream(socket.getInputStream());
    out = new Outgoing(socket.getOutputStream());
  }

  public static RawClient to(int port) throws IOException {
    return connect(new Socket(), port);
  }

  /** One that keeps little of what it does not read, or cannot send. */
  public static RawClient small(int port) throws IOException {
    var socket = new Socket();
    socket.setReceiveBufferSize(64 << 10);
    socket.setSendBufferSize(64 << 10);
    return connect(socket, port);
  }

  private static RawClient connect(Socket socket, int port) throws IOException {
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
    return new RawClient(socket);
  }

  public Outgoing out() {
    return out;
  }

  /** What a client writes while it reads. */
  public interface Writes {
    void to(Outgoing out) throws IOException;
  }

  /** Writes on a thread of its own: an answer may come, and the connection end, before all has gone. */
  public Thread writing(Writes writes) {
    return Thread.ofVirtual().start(() -> {
      try {
        writes.to(out);
      } catch (IOException e) {
        // What came back tells why.
      }
    });
  }

  /** The next answer, interim ones among them, as soon as its head is here. */
  public Incoming answer() throws IOException {
    return Incoming.of(in);
  }

  /** All that comes until Envoy closes the connection, or resets it. */
  public String rest() throws IOException {
    var rest = new ByteArrayOutputStream();
    try {
      in.transferTo(rest);
    } catch (SocketException e) {
      // Reset: that is an end, too.
    }
    return rest.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
