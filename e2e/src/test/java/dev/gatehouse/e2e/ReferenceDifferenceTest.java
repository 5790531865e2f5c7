package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.TextFormat;
import dev.gatehouse.testkit.RedisFixture;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code bin/ratelimit} beside envoyproxy/ratelimit itself: the same environment, the same folder of YAML, the same requests, and every
 * field of every answer compared, then the statistics. Needs the reference's program, so it runs only when asked for: {@code mvn verify
 * -Preference -Dgatehouse.reference=PROGRAM} (docs/ratelimit-compatibility.md says how to build it).
 */
@Tag("reference")
final class ReferenceDifferenceTest {
  private static final int REQUESTS = 3000;

  @TempDir
  Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void random_configurations_and_requests_have_the_same_answers(long seed) throws Exception {
    var random = new Random(seed);
    var config = new ReferenceConfig(random);
    write(config.yaml());
    var env = new HashMap<>(Map.of("LIMIT_RESPONSE_HEADERS_ENABLED", "" + (seed % 2 == 0)));
    env.put("RESPONSE_DYNAMIC_METADATA", "" + (seed % 3 == 0));
    env.put("QUOTA_MODE", "" + (seed == 4));
    compare(env, config, random);
  }

  private void compare(Map<String, String> env, ReferenceConfig config, Random random)
      throws Exception {
    try (var redis = RedisFixture.start();
        var reference = start(program(), env, redis, "reference:");
        var ours =
            start(Distribution.HOME.resolve("bin/ratelimit").toString(), env, redis, "ours:")) {
      for (int i = 0; i < REQUESTS; i++) {
        var request = config.request(random);
        assertThat(ours.ask(request))
            .as("answer %d to %s", i, request)
            .isEqualTo(reference.ask(request));
      }
      // The reference hands them on once a flush.
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(() -> assertThat(ours.statistics()).isEqualTo(reference.statistics()));
    }
  }

  private void write(String yaml) throws IOException {
    Files.createDirectories(folder.resolve("runtime/config"));
    Files.writeString(folder.resolve("runtime/config/limits.yaml"), yaml);
  }

  private static String program() {
    var program = System.getProperty("gatehouse.reference");
    assertThat(program).as("-Dgatehouse.reference=PROGRAM").isNotBlank();
    return program;
  }

  private Peer start(String program, Map<String, String> more, RedisFixture redis, String prefix)
      throws IOException {
    var grpc = Distribution.freePort();
    var http = Distribution.freePort();
    var prometheus = Distribution.freePort();
    var builder = new ProcessBuilder(program).redirectErrorStream(true);
    builder.redirectOutput(folder.resolve(prefix.replace(':', '.') + "log").toFile());
    var env = builder.environment();
    env.keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
    env.put("JAVA_HOME", System.getProperty("java.home"));
    env.putAll(Map.of(
        "HOST", "127.0.0.1",
        "PORT", "" + http,
        "GRPC_HOST", "127.0.0.1",
        "GRPC_PORT", "" + grpc,
        "DEBUG_HOST", "127.0.0.1",
        "DEBUG_PORT", "" + Distribution.freePort(),
        "RUNTIME_ROOT", folder.toString(),
        "RUNTIME_SUBDIRECTORY", "runtime",
        "USE_STATSD", "false",
        "LOG_LEVEL", "warn"));
    var url = redis.url().replaceFirst("^redis://", "");
    env.putAll(Map.of(
        "REDIS_SOCKET_TYPE",
        "tcp",
        "REDIS_URL",
        url,
        "CACHE_KEY_PREFIX",
        prefix,
        "REDIS_TIMEOUT",
        "2s",
        "RUNTIME_WATCH_ROOT",
        "false"));
    env.putAll(Map.of(
        "USE_PROMETHEUS",
        "true",
        "PROMETHEUS_ADDR",
        "127.0.0.1:" + prometheus,
        "STATS_FLUSH_INTERVAL",
        "1s"));
    env.putAll(more);
    var peer = new Peer(builder.start(), grpc, http, prometheus);
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> peer.ready(folder.resolve(prefix.replace(':', '.') + "log")));
    return peer;
  }

  /** One of the two programs. */
  private static final class Peer implements AutoCloseable {
    private final Process process;
    private final int http;
    private final int prometheus;
    private final ManagedChannel channel;
    private final RateLimitServiceGrpc.RateLimitServiceBlockingStub stub;

    Peer(Process process, int grpc, int http, int prometheus) {
      this.process = process;
      this.http = http;
      this.prometheus = prometheus;
      this.channel = NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", grpc))
          .usePlaintext()
          .build();
      this.stub = RateLimitServiceGrpc.newBlockingStub(channel);
    }

    boolean ready(Path log) throws IOException {
      if (!process.isAlive()) {
        throw new AssertionError("it ended:\n" + Files.readString(log));
      }
      return Distribution.status(http, "/healthcheck") == 200;
    }

    /** An answer or an error, in a form that is the same for both. */
    Answer ask(RateLimitRequest request) {
      try {
        return Answer.of(stub.shouldRateLimit(request));
      } catch (StatusRuntimeException e) {
        return new Answer(
            e.getStatus().getCode() + ": " + e.getStatus().getDescription(), List.of());
      }
    }

    /** Prometheus's, of every limit; what is zero is left out, and what has labels of its own here (docs/ratelimit-compatibility.md). */
    Map<String, Double> statistics() throws IOException, InterruptedException {
      var all = new TreeMap<String, Double>();
      for (var line : Distribution.body(prometheus, "/metrics").lines().toList()) {
        int space = line.lastIndexOf(' ');
        if (line.startsWith("ratelimit_service_rate_limit_")
            && !line.contains("domain_not_found")) {
          double value = Double.parseDouble(line.substring(space + 1));
          if (value != 0) {
            all.put(line.substring(0, space), value);
          }
        }
      }
      return all;
    }

    @Override
    public void close() {
      channel.shutdownNow();
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** @param resets seconds until each status's reset, which the two may read a moment apart */
  private record Answer(String text, List<Reset> resets) {
    /** Go's text of a message has one space or two, so that nobody takes it for a format. */
    static Answer of(RateLimitResponse response) {
      var resets = new ArrayList<Reset>();
      var rest = response.toBuilder().clearStatuses().clearResponseHeadersToAdd();
      if (rest.hasDynamicMetadata()) {
        // Which limits denied: the reference does not tell.
        rest.getDynamicMetadataBuilder().removeFields("deniedBy");
      }
      for (var status : response.getStatusesList()) {
        resets.add(new Reset(status.getDurationUntilReset().getSeconds()));
        rest.addStatuses(status.toBuilder().clearDurationUntilReset());
      }
      for (var header : response.getResponseHeadersToAddList()) {
        boolean reset = header.getKey().equals("RateLimit-Reset");
        rest.addResponseHeadersToAdd(reset ? header.toBuilder().clearValue().build() : header);
      }
      return new Answer(
          TextFormat.printer()
              .printToString(rest)
              .replaceAll("(requests_per_unit:\\d+) +unit", "$1 unit"),
          resets);
    }
  }

  private record Reset(long seconds) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Reset reset && Math.abs(reset.seconds - seconds) <= 2;
    }

    @Override
    public int hashCode() {
      return 0;
    }
  }
}
