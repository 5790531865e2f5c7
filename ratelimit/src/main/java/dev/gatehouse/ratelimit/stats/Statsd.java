package dev.gatehouse.ratelimit.stats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a statsd server what was counted since the last time: {@code name:delta|c} a line, nothing for what did not change. Runs on the
 * thread that flushes, which may wait a little; a server that is not there costs a line in the log, and its TCP connection loses nothing
 * meanwhile. A flush on which the connection breaks, or that the server does not take in time, is lost.
 *
 * <p>Response times are one line a bucket, the mean with a sample rate that says how many they were, not one line a call.
 */
final class Statsd implements AutoCloseable {
  /** What an Ethernet frame takes of UDP, with room for a tunnel's headers. */
  static final int MAX_PACKET_BYTES = 1400;

  private static final Logger LOG = LoggerFactory.getLogger(Statsd.class);
  private static final int CONNECT_MILLIS = 1500;
  private static final Duration TAKEN_WITHIN = Duration.ofSeconds(5);

  private final StatsdSettings settings;
  private final Duration takenWithin;
  private final String tags;
  private final StringBuilder line = new StringBuilder();
  private final byte[] packet = new byte[MAX_PACKET_BYTES];
  private int size;
  private long deadline;
  private boolean tooLongTold;
  private boolean failureTold;
  private @Nullable Transport transport;

  /** Takes a packet of whole lines. */
  private interface Transport extends AutoCloseable {
    /** @param deadline by {@link System#nanoTime}, for who may have to wait */
    void send(byte[] packet, int size, long deadline) throws IOException;

    @Override
    void close();
  }

  Statsd(StatsdSettings settings) {
    this(settings, TAKEN_WITHIN);
  }

  /** @param takenWithin how long a server may take to take a flush */
  Statsd(StatsdSettings settings, Duration takenWithin) {
    this.settings = settings;
    this.takenWithin = takenWithin;
    this.tags = serialised(settings.tags());
  }

  /** {@code .__name=value}, by name, as gostats writes tags behind a statistic's name. */
  private static String serialised(Map<String, String> tags) {
    var text = new StringBuilder();
    new TreeMap<>(tags).forEach((name, value) -> {
      if (!name.isEmpty() && !value.isEmpty()) {
        text.append(".__").append(clean(name)).append('=').append(clean(value));
      }
    });
    return text.toString();
  }

  private static String clean(String part) {
    return part.replace('.', '_').replace(':', '_').replace('|', '_');
  }

  void flush(Stats stats) {
    try {
      if (transport == null) {
        transport = connect();
      }
      write(stats, transport);
      failureTold = false;
    } catch (IOException e) {
      disconnect();
      if (!failureTold) {
        LOG.warn(
            "statistics do not reach statsd at {}:{} over {}: {}",
            settings.host(),
            settings.port(),
            settings.protocol(),
            e.getMessage());
      }
      failureTold = true;
    }
  }

  private Transport connect() throws IOException {
    return switch (settings.protocol()) {
      case TCP -> new Tcp(settings);
      case UDP -> new Udp(settings);
    };
  }

  private void disconnect() {
    size = 0;
    if (transport != null) {
      transport.close();
      transport = null;
    }
  }

  private void write(Stats stats, Transport to) throws IOException {
    var failure = new IOException[1];
    deadline = System.nanoTime() + takenWithin.toNanos();
    stats.eachLimit(limit -> {
      for (var stat : LimitStats.Stat.ALL) {
        long more = limit.counter(stat).latch();
        if (more > 0) {
          begin(limit.name(stat)).append(more).append("|c\n");
          end(to, failure);
        }
      }
    });
    stats.eachCounter((name, counter) -> {
      long more = counter.latch();
      if (more > 0) {
        begin(name).append(more).append("|c\n");
        end(to, failure);
      }
    });
    stats.responseTimes().latch((mean, times) -> {
      begin(Stats.RESPONSE_TIME).append(PrometheusText.number(mean)).append("|ms");
      if (times > 1) {
        line.append("|@").append(1.0 / times);
      }
      line.append('\n');
      end(to, failure);
    });
    send(to, failure);
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private StringBuilder begin(String name) {
    line.setLength(0);
    return line.append(name).append(tags).append(':');
  }

  private void end(Transport to, IOException[] failure) {
    var bytes = line.toString().getBytes(UTF_8);
    if (bytes.length > MAX_PACKET_BYTES) {
      if (!tooLongTold) {
        LOG.warn(
            "a statistic whose name does not fit into {} bytes is not sent to statsd: {}…",
            MAX_PACKET_BYTES,
            line.substring(0, 100));
      }
      tooLongTold = true;
      return;
    }
    if (size + bytes.length > MAX_PACKET_BYTES) {
      send(to, failure);
    }
    System.arraycopy(bytes, 0, packet, size, bytes.length);
    size += bytes.length;
  }

  private void send(Transport to, IOException[] failure) {
    if (size > 0 && failure[0] == null) {
      try {
        to.send(packet, size, deadline);
      } catch (IOException e) {
        failure[0] = e;
      }
    }
    size = 0;
  }

  @Override
  public void close() {
    disconnect();
  }

  private static final class Udp implements Transport {
    private final DatagramSocket socket = new DatagramSocket();
    private final InetSocketAddress address;

    Udp(StatsdSettings settings) throws IOException {
      address = new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port());
    }

    @Override
    public void send(byte[] packet, int size, long deadline) throws IOException {
      socket.send(new DatagramPacket(packet, size, address));
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  /** A server that does not read would hold a thread that writes to it for ever: this one waits until the deadline. */
  private static final class Tcp implements Transport {
    private final SocketChannel channel = SocketChannel.open();
    private final Selector writable = Selector.open();

    Tcp(StatsdSettings settings) throws IOException {
      try {
        channel
            .socket()
            .connect(
                new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port()),
                CONNECT_MILLIS);
        channel.configureBlocking(false);
        channel.register(writable, SelectionKey.OP_WRITE);
      } catch (IOException e) {
        close();
        throw e;
      }
    }

    @Override
    public void send(byte[] packet, int size, long deadline) throws IOException {
      var left = ByteBuffer.wrap(packet, 0, size);
      channel.write(left);
      while (left.hasRemaining()) {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0) {
          throw new SocketTimeoutException("the server does not read what it is sent");
        }
        writable.select(millis);
        writable.selectedKeys().clear();
        channel.write(left);
      }
    }

    @Override
    public void close() {
      try {
        channel.close();
        writable.close();
      } catch (IOException e) {
        LOG.debug("a connection to statsd did not close", e);
      }
    }
  }
}
