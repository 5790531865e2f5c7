package dev.gatehouse.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/** A way to a server on this machine on which answers take longer, by as much as the test says at the moment. */
public final class SlowWire implements AutoCloseable {
  private final ServerSocket listener;
  private final int server;
  private final List<Closeable> open = new CopyOnWriteArrayList<>();
  private volatile long delayNanos;

  private SlowWire(ServerSocket listener, int server) {
    this.listener = listener;
    this.server = server;
  }

  /** @param server its port */
  public static SlowWire to(int server) {
    try {
      var wire = new SlowWire(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), server);
      Thread.ofVirtual().start(wire::accept);
      return wire;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int port() {
    return listener.getLocalPort();
  }

  public void delay(Duration answers) {
    delayNanos = answers.toNanos();
  }

  private void accept() {
    try {
      while (true) {
        var client = listener.accept();
        var there = new Socket(InetAddress.getLoopbackAddress(), server);
        client.setTcpNoDelay(true);
        there.setTcpNoDelay(true);
        open.add(client);
        open.add(there);
        Thread.ofVirtual().start(() -> copy(client, there, false));
        Thread.ofVirtual().start(() -> copy(there, client, true));
      }
    } catch (IOException e) {
      // The test is over.
      return;
    }
  }

  private void copy(Socket from, Socket to, boolean answers) {
    var buffer = new byte[8192];
    try (from;
        to) {
      var in = from.getInputStream();
      for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
        if (answers && delayNanos > 0) {
          LockSupport.parkNanos(delayNanos);
        }
        to.getOutputStream().write(buffer, 0, n);
      }
    } catch (IOException e) {
      // One of the two has gone; so does the other.
      return;
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (var socket : open) {
      socket.close();
    }
  }
}
