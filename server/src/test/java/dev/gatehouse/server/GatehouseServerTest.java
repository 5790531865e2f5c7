package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

class GatehouseServerTest {
  @Test
  void answers_calls() {
    var listener =
        new ServerSettings.Listener(new InetSocketAddress("127.0.0.1", 0), null, List.of("a"));
    try (var loops = EventLoops.start(1);
        var server = GatehouseServer.start(
            ServerSettings.of(List.of(listener), null),
            List.of(Echo.named("a")),
            new ServiceContext(
                loops, new PrometheusRegistry(), DecisionListener.NONE, InstantSource.system()),
            () -> "{}")) {
      var channel =
          NettyChannelBuilder.forAddress(server.address("a")).usePlaintext().build();
      try {
        var answer = ClientCalls.blockingUnaryCall(
            channel,
            Echo.method("a"),
            CallOptions.DEFAULT,
            HealthCheckRequest.getDefaultInstance());
        assertThat(answer.getStatus()).isEqualTo(ServingStatus.SERVING);
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
