package dev.gatehouse.sandbox;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free TCP ports on the loopback for an Envoy that starts later. Two sandboxes on one machine never get the same one: each port
 * is held by a UDP socket of its number, since Envoy's own listeners would share a TCP port in silence ({@code SO_REUSEPORT}).
 * They lie below the ports that the system gives to outgoing connections.
 */
public final class Ports implements AutoCloseable {
  private static final int FIRST = 18_000;
  private static final int LAST = 31_999;

  private final List<DatagramSocket> held = new ArrayList<>();

  /** A port that nobody listens on and that no other {@link Ports} gives away until this is closed. */
  public synchronized int free() {
    for (var attempt = 0; attempt < 1_000; attempt++) {
      var port = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1);
      if (hold(port)) {
        return port;
      }
    }
    throw new IllegalStateException("no free port between " + FIRST + " and " + LAST);
  }

  /** Whether a listener on that loopback port could be opened now. */
  public static boolean isFree(int port) {
    try (var probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private boolean hold(int port) {
    DatagramSocket holder;
    try {
      holder = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    } catch (IOException e) {
      return false;
    }
    if (!isFree(port)) {
      holder.close();
      return false;
    }
    held.add(holder);
    return true;
  }

  @Override
  public synchronized void close() {
    held.forEach(DatagramSocket::close);
    held.clear();
  }
}
