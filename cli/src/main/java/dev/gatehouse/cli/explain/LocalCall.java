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
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A call of a service as gRPC would make it, without a network: the service's own method runs on an event loop, its answers are the bytes
 * that would go to Envoy.
 */
final class LocalCall<Q> implements AutoCloseable {
  /** What came of a message. */
  sealed interface Answer {
    record Message(ByteString bytes) implements Answer {}

    record Closed(Status status) implements Answer {}
  }

  private final EventLoop loop;
  private final ServerCall.Listener<Q> listener;
  private final BlockingQueue<Answer> answers;
  private final Duration within;

  private LocalCall(
      EventLoop loop,
      ServerCall.Listener<Q> listener,
      BlockingQueue<Answer> answers,
      Duration within) {
    this.loop = loop;
    this.listener = listener;
    this.answers = answers;
    this.within = within;
  }

  /** @param within how long an answer may take */
  static <Q> LocalCall<Q> open(
      ServerServiceDefinition service,
      MethodDescriptor<Q, ?> method,
      Metadata metadata,
      EventLoop loop,
      Duration within) {
    @SuppressWarnings("unchecked") // the definition was made of this very method
    var served = (ServerMethodDefinition<Q, byte[]>)
        Objects.requireNonNull(service.getMethod(method.getFullMethodName()));
    var answers = new LinkedBlockingQueue<Answer>();
    var call = new Call<>(served.getMethodDescriptor(), answers);
    var listener = loop.submit(() -> served.getServerCallHandler().startCall(call, metadata))
        .syncUninterruptibly()
        .getNow();
    return new LocalCall<>(loop, listener, answers, within);
  }

  /** Sends one message and waits for its answer. */
  Answer exchange(Q message) {
    loop.execute(() -> listener.onMessage(message));
    return next();
  }

  private Answer next() {
    try {
      var answer = answers.poll(within.toMillis(), TimeUnit.MILLISECONDS);
      return answer != null
          ? answer
          : new Answer.Closed(Status.DEADLINE_EXCEEDED.withDescription(
              "no answer within " + within.toSeconds() + " s"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer.Closed(Status.CANCELLED.withDescription("interrupted"));
    }
  }

  /** As Envoy ends a stream. */
  @Override
  public void close() {
    loop.submit(listener::onCancel).syncUninterruptibly();
  }

  private static final class Call<Q> extends ServerCall<Q, byte[]> {
    private final MethodDescriptor<Q, byte[]> method;
    private final BlockingQueue<Answer> answers;

    Call(MethodDescriptor<Q, byte[]> method, BlockingQueue<Answer> answers) {
      this.method = method;
      this.answers = answers;
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] message) {
      answers.add(new Answer.Message(ByteString.copyFrom(message)));
    }

    @Override
    public void close(Status status, Metadata trailers) {
      answers.add(new Answer.Closed(status));
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
