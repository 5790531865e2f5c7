package dev.gatehouse.extproc.stream;

import dev.gatehouse.extproc.stream.ProcessorStream.Opener;
import dev.gatehouse.server.EventLoops;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * gRPC's calls as {@link ProcessorStream}s. A message is taken from the connection only when the stream asks for it. On one of our
 * event loops a stream stays there; elsewhere, whatever thread the server calls on, it is a {@link SerialLoop}.
 */
public final class StreamCalls implements ServerCallHandler<ProcessingRequest, byte[]> {
  private final Function<Metadata, Opener> openers;
  private final Executor workers;
  private final Patience patience;
  private final StreamStats stats;

  /**
   * @param stats what is counted of the streams, and told of their failures
   * @param openers what chooses the processor of a call with such metadata
   * @param workers do the work of {@link Reply.Later}
   */
  public StreamCalls(
      StreamStats stats, Function<Metadata, Opener> openers, Executor workers, Patience patience) {
    this.stats = stats;
    this.openers = openers;
    this.workers = workers;
    this.patience = patience;
  }

  @Override
  public ServerCall.Listener<ProcessingRequest> startCall(
      ServerCall<ProcessingRequest, byte[]> call, Metadata metadata) {
    var eventLoop = EventLoops.current();
    var loop = eventLoop == null ? new SerialLoop() : new NettyLoop(eventLoop);
    var stream = new ProcessorStream(
        openers.apply(metadata), new Answerer(call), loop, workers, patience, stats);
    call.request(1);
    var messages = new Messages(stream);
    return eventLoop == null ? new Hopping(messages, loop) : messages;
  }

  /** What gRPC hears of Envoy. */
  private static final class Messages extends ServerCall.Listener<ProcessingRequest> {
    private final ProcessorStream stream;

    Messages(ProcessorStream stream) {
      this.stream = stream;
    }

    @Override
    public void onMessage(ProcessingRequest message) {
      stream.message(message);
    }

    @Override
    public void onReady() {
      stream.ready();
    }

    @Override
    public void onHalfClose() {
      stream.halfClosed();
    }

    /** The ordinary end: Envoy resets the stream when the request is done. */
    @Override
    public void onCancel() {
      stream.ended();
    }

    @Override
    public void onComplete() {
      stream.ended();
    }
  }

  /** Takes what gRPC says to the stream's loop. */
  private static final class Hopping extends ServerCall.Listener<ProcessingRequest> {
    private final Messages messages;
    private final ProcessorStream.Loop loop;

    Hopping(Messages messages, ProcessorStream.Loop loop) {
      this.messages = messages;
      this.loop = loop;
    }

    @Override
    public void onMessage(ProcessingRequest message) {
      loop.execute(() -> messages.onMessage(message));
    }

    @Override
    public void onReady() {
      loop.execute(messages::onReady);
    }

    @Override
    public void onHalfClose() {
      loop.execute(messages::onHalfClose);
    }

    @Override
    public void onCancel() {
      loop.execute(messages::onCancel);
    }

    @Override
    public void onComplete() {
      loop.execute(messages::onComplete);
    }
  }

  /** What Envoy hears of us. */
  private static final class Answerer implements ProcessorStream.Outlet {
    private final ServerCall<ProcessingRequest, byte[]> call;
    private boolean begun;

    Answerer(ServerCall<ProcessingRequest, byte[]> call) {
      this.call = call;
    }

    @Override
    public void send(byte[] answer) {
      if (!begun) {
        begun = true;
        call.sendHeaders(new Metadata());
      }
      call.sendMessage(answer);
    }

    @Override
    public boolean ready() {
      return call.isReady();
    }

    @Override
    public void next() {
      call.request(1);
    }

    @Override
    public void close(Status status) {
      call.close(status, new Metadata());
    }
  }

  private record NettyLoop(EventLoop loop) implements ProcessorStream.Loop {
    @Override
    public void execute(Runnable task) {
      loop.execute(task);
    }

    @Override
    public Runnable after(Duration time, Runnable task) {
      var timer = loop.schedule(task, time.toNanos(), TimeUnit.NANOSECONDS);
      return () -> timer.cancel(false);
    }
  }
}
