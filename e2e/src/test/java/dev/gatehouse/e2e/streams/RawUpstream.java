package dev.gatehouse.e2e.streams;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** An upstream that says byte for byte what a test wants, be it HTTP or not. One request a connection. */
final class RawUpstream implements AutoCloseable {
  /** What is done with a connection when the head of its request has come. */
  interface Says {
    void answer(InputStream rest, OutputStream out) throws IOException;
  }

  private final ServerSocket server;
  private volatile Says says = (rest, out) -> {};

  RawUpstream() {
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  void says(Says next) {
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
      var in = new BufferedInputStream(connection.getInputStream());
      for (var line = 0; line != '\r'; ) {
        line = in.read();
        for (var c = line; c != '\n'; c = in.read()) {
          if (c < 0) {
            return;
          }
        }
      }
      says.answer(in, connection.getOutputStream());
      connection.getOutputStream().flush();
    } catch (IOException e) {
      // Envoy lets go of a connection whose request is over.
    }
  }
}
