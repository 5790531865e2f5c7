package dev.gatehouse.e2e.raw;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** An upstream that says byte for byte what a test wants, be it HTTP or not. One request a connection. */
public final class RawUpstream implements AutoCloseable {
  /** What is done with a request when its head has come. */
  public interface Says {
    void answer(Incoming request, Outgoing out) throws IOException, InterruptedException;
  }

  private final ServerSocket server;
  private volatile Says says = (request, out) -> out.answer(204);

  public RawUpstream() {
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  public int port() {
    return server.getLocalPort();
  }

  public void says(Says next) {
    says = next;
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        var connection = server.accept();
        Thread.ofVirtual().start(() -> serve(connection));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      var in = new BufferedInputStream(connection.getInputStream());
      says.answer(Incoming.of(in), new Outgoing(connection.getOutputStream()));
      connection.shutdownOutput();
      // Closed with something unread, it would be reset, and the end of the answer lost.
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // Envoy lets go of a connection whose request is over.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
