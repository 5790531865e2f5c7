package dev.gatehouse.extproc;

import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.ProcessorStream.Opener;
import dev.gatehouse.extproc.stream.StreamCalls;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.source.Live;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import java.util.concurrent.Executor;

/**
 * Envoy's {@code ExternalProcessor/Process}: one stream a request, under the plans that hold when it begins. Each message is asked of
 * the stream's processor and answered by ready bytes. Runs on the event loop; never blocks.
 */
final class ProcessorService implements ServerCallHandler<ProcessingRequest, byte[]> {
  private final Live<RoutePlans<RoutePlan>> plans;
  private final Chooser chooser;
  private final StreamCalls calls;

  ProcessorService(Live<RoutePlans<RoutePlan>> plans, Chooser chooser, Executor workers) {
    this.plans = plans;
    this.chooser = chooser;
    this.calls = new StreamCalls(this::opener, workers, Patience.DEFAULT);
  }

  @Override
  public ServerCall.Listener<ProcessingRequest> startCall(
      ServerCall<ProcessingRequest, byte[]> call, Metadata metadata) {
    return calls.startCall(call, metadata);
  }

  private Opener opener(Metadata metadata) {
    var plansAtStart = plans.current();
    var binding = Binding.of(metadata);
    return first -> chooser.open(plansAtStart, binding, first);
  }
}
