package dev.gatehouse.ratelimit.stats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.stats.StatsdSettings.Protocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a statsd server hears. */
final class StatsdTest {
  private final Stats stats = new Stats(10_000, 0.8f);
  private DatagramSocket server;

  @BeforeEach
  void listen() throws IOException {
    server = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    server.setReceiveBufferSize(4 << 20);
    server.setSoTimeout(5_000);
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void each_flush_tells_what_came_since_the_last_one_and_nothing_of_what_did_not_change()
      throws IOException {
    try (var statsd = new Statsd(udp(Map.of()))) {
      stats.limit("shop.user").counted(3, 3, 10, false);
      statsd.flush(stats);
      assertThat(heard())
          .containsExactlyInAnyOrder(
              "ratelimit.service.rate_limit.shop.user.total_hits:3|c",
              "ratelimit.service.rate_limit.shop.user.within_limit:3|c");
      stats.limit("shop.user").counted(4, 1, 10, false);
      statsd.flush(stats);
      assertThat(heard())
          .containsExactlyInAnyOrder(
              "ratelimit.service.rate_limit.shop.user.total_hits:1|c",
              "ratelimit.service.rate_limit.shop.user.within_limit:1|c");
    }
  }

  @Test
  void extra_tags_stand_behind_every_name_as_gostats_writes_them() throws IOException {
    try (var statsd = new Statsd(udp(Map.of("zone", "a.b", "app", "shop")))) {
      stats.configLoaded(true);
      statsd.flush(stats);
      assertThat(heard())
          .containsExactly("ratelimit.service.config_load_success.__app=shop.__zone=a_b:1|c");
    }
  }

  @Test
  void response_times_are_a_line_a_bucket_with_the_rate_that_makes_up_for_it() throws IOException {
    try (var statsd = new Statsd(udp(Map.of()))) {
      for (int i = 0; i < 4; i++) {
        stats.answered(Duration.ofMillis(6 + i % 2 * 2).toNanos());
      }
      statsd.flush(stats);
      assertThat(heard())
          .containsExactlyInAnyOrder(
              "ratelimit_server.ShouldRateLimit.total_requests:4|c",
              "ratelimit_server.ShouldRateLimit.response_time:7|ms|@0.25");
    }
  }

  @Test
  void a_packet_is_never_larger_than_1400_bytes_and_none_of_2000_keys_is_lost() throws IOException {
    try (var statsd = new Statsd(udp(Map.of()))) {
      for (int i = 0; i < 2_000; i++) {
        stats.limit("shop.user_" + i).over(1, false);
      }
      var lines = new ArrayList<String>();
      statsd.flush(stats);
      while (lines.size() < 4_000) {
        lines.addAll(heard());
      }
      assertThat(lines).doesNotHaveDuplicates().hasSize(4_000);
    }
  }

  @Test
  void over_tcp_nothing_is_lost_while_the_server_is_away() throws IOException {
    int port;
    try (var away = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = away.getLocalPort();
    }
    try (var statsd = new Statsd(
        new StatsdSettings(Protocol.TCP, "127.0.0.1", port, Duration.ofSeconds(10), Map.of()))) {
      stats.limit("shop.user").over(1, false);
      statsd.flush(stats);
      stats.limit("shop.user").over(1, false);
      try (var back = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        back.setSoTimeout(5_000);
        statsd.flush(stats);
        try (var connection = back.accept()) {
          connection.setSoTimeout(5_000);
          var in = new java.io.BufferedReader(
              new java.io.InputStreamReader(connection.getInputStream(), UTF_8));
          assertThat(in.readLine())
              .isEqualTo("ratelimit.service.rate_limit.shop.user.total_hits:2|c");
        }
      }
    }
  }

  @Test
  void a_server_that_does_not_read_costs_a_flush_and_holds_nothing_up() throws IOException {
    try (var server = new ServerSocket()) {
      server.setReceiveBufferSize(4096);
      server.setSoTimeout(5_000);
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      var settings = new StatsdSettings(
          Protocol.TCP, "127.0.0.1", server.getLocalPort(), Duration.ofSeconds(10), Map.of());
      try (var statsd = new Statsd(settings, Duration.ofMillis(200))) {
        for (int i = 0; i < 10_000; i++) { // more than the system keeps of what nobody reads
          stats.limit("shop." + "x".repeat(480) + i).over(1, false);
        }
        statsd.flush(stats);
        try (var silent = server.accept()) {
          assertThat(silent.isConnected()).isTrue();
          stats.redisError();
          statsd.flush(stats);
          try (var next = server.accept()) {
            next.setSoTimeout(5_000);
            var in = new java.io.BufferedReader(
                new java.io.InputStreamReader(next.getInputStream(), UTF_8));
            assertThat(in.readLine())
                .isEqualTo("ratelimit.service.call.should_rate_limit.redis_error:1|c");
          }
        }
      }
    }
  }

  @Test
  void the_end_of_the_process_sends_what_is_left() throws IOException {
    var flush = StatsFlush.start(stats, udp(Map.of()), () -> {});
    stats.redisError();
    flush.close();
    assertThat(heard()).containsExactly("ratelimit.service.call.should_rate_limit.redis_error:1|c");
  }

  private StatsdSettings udp(Map<String, String> tags) {
    return new StatsdSettings(
        Protocol.UDP, "127.0.0.1", server.getLocalPort(), Duration.ofHours(1), tags);
  }

  /** The lines of one packet. */
  private List<String> heard() throws IOException {
    var packet = new DatagramPacket(new byte[65_536], 65_536);
    server.receive(packet);
    assertThat(packet.getLength()).isLessThanOrEqualTo(Statsd.MAX_PACKET_BYTES);
    return new String(packet.getData(), 0, packet.getLength(), UTF_8).lines().toList();
  }
}
