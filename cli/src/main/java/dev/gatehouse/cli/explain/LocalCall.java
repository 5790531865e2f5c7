package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A stream of a service as gRPC would make it, without a network: the service's own method runs on an event loop, its answers are the bytes
 * that would go to Envoy. A message is sent when the service asks for one, as the network's flow control would have it.
 */
final class LocalCall<Q> implements AutoCloseable {
  /** What the service did. */
  private sealed interface Event {
    record Message(ByteString bytes) implements Event {}

    /** It takes another message: what was to be said to the one before has been said. */
    record Next() implements Event {}

    record Closed(Status status) implements Event {}
  }

  /**
   * What came of a message.
   *
   * @param ended how the service closed the stream; null while it is open
   */
  record Answer(List<ByteString> messages, @Nullable Status ended) {}

  private final EventLoop loop;
  private final ServerCall.Listener<Q> listener;
  private final BlockingQueue<Event> events;
  private final Duration within;

  private LocalCall(
      EventLoop loop,
      ServerCall.Listener<Q> listener,
      BlockingQueue<Event> events,
      Duration within) {
    this.loop = loop;
    this.listener = listener;
    this.events = events;
    this.within = within;
  }

  /** @param within how long the service may say nothing */
  static <Q> LocalCall<Q> open(
      ServerServiceDefinition service,
      MethodDescriptor<Q, ?> method,
      Metadata metadata,
      EventLoop loop,
      Duration within) {
    @SuppressWarnings("unchecked") // the definition was made of this very method
    var served = (ServerMethodDefinition<Q, byte[]>)
        Objects.requireNonNull(service.getMethod(method.getFullMethodName()));
    var events = new LinkedBlockingQueue<Event>();
    var call = new Call<>(served.getMethodDescriptor(), events);
    var listener = loop.submit(() -> served.getServerCallHandler().startCall(call, metadata))
        .syncUninterruptibly()
        .getNow();
    var opened = new LocalCall<>(loop, listener, events, within);
    opened.answer();
    return opened;
  }

  /** Sends one message and waits for all that is said to it. */
  Answer exchange(Q message) {
    loop.execute(() -> listener.onMessage(message));
    return answer();
  }

  private Answer answer() {
    var messages = new ArrayList<ByteString>();
    while (true) {
      switch (next()) {
        case Event.Message(var bytes) -> messages.add(bytes);
        case Event.Next next -> {
          return new Answer(messages, null);
        }
        case Event.Closed(var status) -> {
          return new Answer(messages, status);
        }
      }
    }
  }

  private Event next() {
    try {
      var event = events.poll(within.toMillis(), TimeUnit.MILLISECONDS);
      return event != null
          ? event
          : new Event.Closed(Status.DEADLINE_EXCEEDED.withDescription(
              "no answer within " + within.toSeconds() + " s"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Event.Closed(Status.CANCELLED.withDescription("interrupted"));
    }
  }

  /** As Envoy ends a stream. */
  @Override
  public void close() {
    loop.submit(listener::onCancel).syncUninterruptibly();
  }

  private static final class Call<Q> extends ServerCall<Q, byte[]> {
    private final MethodDescriptor<Q, byte[]> method;
    private final BlockingQueue<Event> events;

    Call(MethodDescriptor<Q, byte[]> method, BlockingQueue<Event> events) {
      this.method = method;
      this.events = events;
    }

    @Override
    public void request(int messages) {
      events.add(new Event.Next());
    }

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] message) {
      events.add(new Event.Message(ByteString.copyFrom(message)));
    }

    @Override
    public void close(Status status, Metadata trailers) {
      events.add(new Event.Closed(status));
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<Q, byte[]> getMethodDescriptor() {
      return method;
    }

    @Override
    public Attributes getAttributes() {
      return Attributes.EMPTY;
    }
  }
}
