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

/** A processor behind a real gRPC connection. */
public final class GrpcPeer implements EnvoyStream.Peer, AutoCloseable {
  private sealed interface Event {}

  private record Answer(ProcessingResponse response) implements Event {}

  private record Closed(Status status) implements Event {}

  private final ClientCall<ProcessingRequest, ProcessingResponse> call;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Duration patience;

  /**
   * @param metadata what Envoy sends as {@code grpc_initial_metadata}
   * @param patience how long an answer may take; Envoy's {@code message_timeout} is 200 ms by default
   */
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
  public @Nullable ProcessingResponse receive() {
    return switch (next()) {
      case Answer(var response) -> response;
      case Closed(var status) -> {
        if (status.isOk()) {
          yield null;
        }
        throw new StreamFailed(status.toString());
      }
    };
  }

  /** Half-closes and waits for the end, which an Envoy does only sometimes; it resets the stream as a rule. */
  public Status finish() {
    call.halfClose();
    return switch (next()) {
      case Answer(var response) ->
        throw new AssertionError("an answer that nothing asked for: " + response);
      case Closed(var status) -> status;
    };
  }

  /** Resets the stream, as Envoy does when the request is done or the client is gone. */
  @Override
  public void close() {
    call.cancel("the request is done", null);
  }

  private Event next() {
    try {
      var event = events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
      if (event == null) {
        throw new AssertionError("no answer within " + patience);
      }
      return event;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
