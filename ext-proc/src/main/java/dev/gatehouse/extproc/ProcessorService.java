package dev.gatehouse.extproc;

import dev.gatehouse.extproc.stream.ProcessorStream;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.server.EventLoops;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.concurrent.Executor;

/**
 * Envoy's {@code ExternalProcessor/Process}: one stream a request. Each message is asked of the stream's processor and answered by
 * ready bytes. Runs on the event loop; never blocks.
 */
final class ProcessorService implements ServerCallHandler<ProcessingRequest, byte[]> {
  private final Live<RoutePlans<RoutePlan>> plans;
  private final Chooser chooser;
  private final Executor workers;

  ProcessorService(Live<RoutePlans<RoutePlan>> plans, Chooser chooser, Executor workers) {
    this.plans = plans;
    this.chooser = chooser;
    this.workers = workers;
  }

  @Override
  public ServerCall.Listener<ProcessingRequest> startCall(
      ServerCall<ProcessingRequest, byte[]> call, Metadata metadata) {
    var plansAtStart = plans.current();
    var binding = Binding.of(metadata);
    var loop = EventLoops.current();
    if (loop == null) {
      throw new IllegalStateException("ext-proc serves on event loops only");
    }
    var stream = new ProcessorStream(
        first -> chooser.open(plansAtStart, binding, first), new Answerer(call), loop, workers);
    call.request(1);
    return new Messages(stream);
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
    public void next() {
      call.request(1);
    }

    @Override
    public void close(Status status) {
      call.close(status, new Metadata());
    }
  }
}
