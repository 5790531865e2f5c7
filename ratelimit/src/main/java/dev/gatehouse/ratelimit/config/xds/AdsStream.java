package dev.gatehouse.ratelimit.config.xds;

import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream on a connection of its own. A response is asked for only after the one before was answered, so that a control plane
 * that sends more than is answered waits. Everything but {@link #close} happens on the client's thread.
 */
final class AdsStream extends ClientCall.Listener<DiscoveryResponse> {
  private final ManagedChannel channel;
  private final ClientCall<DiscoveryRequest, DiscoveryResponse> call;
  private final Subscription subscription;
  private final ScheduledExecutorService executor;
  private final Consumer<Ended> end;
  private final Pace pace = new Pace();
  private boolean reached;
  private long began;
  private volatile boolean over;

  /**
   * How a stream ended.
   *
   * @param reached whether there was a connection
   * @param nanos how long the stream was there
   */
  record Ended(Status status, boolean reached, long nanos) {}

  AdsStream(
      ManagedChannel channel,
      Subscription subscription,
      ScheduledExecutorService executor,
      Consumer<Ended> end) {
    this.channel = channel;
    this.subscription = subscription;
    this.executor = executor;
    this.end = end;
    this.call = channel.newCall(
        AggregatedDiscoveryServiceGrpc.getStreamAggregatedResourcesMethod(), CallOptions.DEFAULT);
  }

  void start(Metadata headers) {
    began = System.nanoTime();
    call.start(this, headers);
    say(subscription.first());
  }

  @Override
  public void onReady() {
    reached = true;
  }

  @Override
  public void onMessage(DiscoveryResponse response) {
    if (over) {
      return;
    }
    var answer = subscription.answer(response);
    long wait = pace.next(System.nanoTime());
    if (wait == 0) {
      say(answer);
    } else {
      var _ = executor.schedule(() -> say(answer), wait, TimeUnit.NANOSECONDS);
    }
  }

  private void say(DiscoveryRequest request) {
    if (!over) {
      call.sendMessage(request);
      call.request(1);
    }
  }

  @Override
  public void onClose(Status status, @Nullable Metadata trailers) {
    if (!over) {
      over = true;
      channel.shutdownNow();
      end.accept(new Ended(status, reached, System.nanoTime() - began));
    }
  }

  /** Ends it and waits until its connection has; nobody is told. */
  void close() throws InterruptedException {
    over = true;
    call.cancel("the service ends", null);
    channel.shutdownNow();
    channel.awaitTermination(5, TimeUnit.SECONDS);
  }
}
