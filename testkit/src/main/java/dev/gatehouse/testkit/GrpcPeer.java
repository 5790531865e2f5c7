package dev.gatehouse.testkit;

import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A processor behind a gRPC channel: a port, or a server in this process. */
public final class GrpcPeer implements EnvoyStream.Peer, AutoCloseable {
  private sealed interface Event {}

  private record Answer(ProcessingResponse response) implements Event {}

  private record Closed(Status status) implements Event {}

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ClientCall<ProcessingRequest, ProcessingResponse> call;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Duration patience;
  private @Nullable Status closed;

  /** @param metadata what Envoy sends as {@code grpc_initial_metadata} */
  public GrpcPeer(Channel channel, Map<String, String> metadata) {
    this(channel, metadata, PATIENCE);
  }

  /** @param patience how long {@link #receive()} waits */
  public GrpcPeer(Channel channel, Map<String, String> metadata, Duration patience) {
    this.patience = patience;
    this.call = channel.newCall(ExternalProcessorGrpc.getProcessMethod(), CallOptions.DEFAULT);
    var headers = new Metadata();
    metadata.forEach((name, value) ->
        headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(ProcessingResponse message) {
            events.add(new Answer(message));
            call.request(1);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            events.add(new Closed(status));
          }
        },
        headers);
    call.request(1);
  }

  @Override
  public void send(ProcessingRequest message) {
    call.sendMessage(message);
  }

  @Override
  public @Nullable ProcessingResponse receive(Duration patience) {
    return switch (next(patience)) {
      case Answer(var response) -> response;
      case Closed(var status) -> {
        if (status.isOk()) {
          yield null;
        }
        throw new StreamFailed(status.toString());
      }
      case null -> null;
    };
  }

  /**
   * The next answer, which must come.
   *
   * @return null when the stream has ended well
   */
  public @Nullable ProcessingResponse receive() {
    var answer = receive(patience);
    if (answer == null && !ended()) {
      throw new AssertionError("no answer within " + patience);
    }
    return answer;
  }

  /** Sends a message and waits for its answer. */
  public @Nullable ProcessingResponse exchange(ProcessingRequest message) {
    send(message);
    return receive();
  }

  @Override
  public boolean ended() {
    return closed != null && closed.isOk();
  }

  @Override
  public void halfClose() {
    call.halfClose();
  }

  @Override
  public void reset() {
    call.cancel("the request is done", null);
  }

  /** Half-closes and waits for the end, which an Envoy does only sometimes; it resets the stream as a rule. */
  public Status finish() {
    halfClose();
    return switch (next(patience)) {
      case Answer(var response) ->
        throw new AssertionError("an answer that nothing asked for: " + response);
      case Closed(var status) -> status;
      case null -> throw new AssertionError("the stream did not end within " + patience);
    };
  }

  @Override
  public void close() {
    reset();
  }

  private @Nullable Event next(Duration patience) {
    if (closed != null) {
      return new Closed(closed);
    }
    try {
      var event = events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
      if (event instanceof Closed(var status)) {
        closed = status;
      }
      return event;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
