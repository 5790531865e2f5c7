package dev.gatehouse.extproc.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.server.BindException;
import dev.gatehouse.testkit.GrpcPeer;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ProcessorServerTest {
  private final AtomicInteger made = new AtomicInteger();

  @Test
  void a_few_lines_serve_with_health_readiness_and_metrics_and_no_processor_sees_the_warm_up()
      throws Exception {
    try (var server = start()) {
      var channel =
          NettyChannelBuilder.forAddress(server.address()).usePlaintext().build();
      try (var peer = new GrpcPeer(channel, Map.of())) {
        assertThat(made).hasValue(0);
        assertThat(Messages.exchange(peer, Messages.first(BodySendMode.NONE)).hasRequestHeaders())
            .isTrue();
        assertThat(made).hasValue(1);
        var health = HealthGrpc.newBlockingStub(channel)
            .check(HealthCheckRequest.newBuilder()
                .setService("envoy.service.ext_proc.v3.ExternalProcessor")
                .build());
        assertThat(health.getStatus()).isEqualTo(ServingStatus.SERVING);
        assertThat(get(server, "/readyz")).isNotEmpty();
        assertThat(get(server, "/metrics")).contains("counting").contains("jvm");
      } finally {
        channel.shutdownNow();
      }
    }
  }

  @Test
  void an_address_that_is_taken_is_said_and_leaves_nothing_behind() {
    try (var first = start()) {
      assertThatThrownBy(
              () -> ProcessorServer.of(service()).listen(first.address()).start())
          .isInstanceOf(BindException.class)
          .hasMessageContaining(String.valueOf(first.address().getPort()));
    }
  }

  private static String get(ProcessorServer server, String path)
      throws IOException, InterruptedException {
    var uri = URI.create("http://127.0.0.1:" + server.admin().getPort() + path);
    try (var client = HttpClient.newHttpClient()) {
      var answer = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      return answer.body();
    }
  }

  private ProcessorServer start() {
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return ProcessorServer.of(service())
        .listen(any)
        .admin(any)
        .drain(Duration.ZERO)
        .start();
  }

  private ProcessorService service() {
    return new ProcessorService("counting", stream -> {
      made.incrementAndGet();
      return new HttpProcessor() {
        @Override
        public Reply requestHeaders(HeadersMessage headers) {
          return Reply.UNCHANGED;
        }
      };
    });
  }
}
