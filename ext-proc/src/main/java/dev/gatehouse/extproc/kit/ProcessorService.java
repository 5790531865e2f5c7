package dev.gatehouse.extproc.kit;

import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.extproc.stream.StreamCalls;
import dev.gatehouse.extproc.stream.StreamStats;
import dev.gatehouse.extproc.stream.WarmUp;
import dev.gatehouse.server.Prebuilt;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import java.util.concurrent.Executor;

/**
 * Envoy's {@code ExternalProcessor/Process}: one stream a request, and for each stream the processor that the factory makes.
 *
 * <p>It runs on any grpc-java server. On the event loops of {@link ProcessorServer} a message is seen to where it arrives; on another
 * server on whatever thread the server calls it, one message of a stream at a time.
 */
public final class ProcessorService implements BindableService {
  /** What may run at once off the loops, what never returns included. */
  private static final int WORK_AT_ONCE = 10_000;

  private final String name;
  private final ProcessorFactory factory;
  private final StreamStats stats;
  /** Passes, on the loop and on virtual threads, and no team's processor sees it: that might count it, or call a database. */
  private final WarmUp warmUp = new WarmUp(
      () -> new BlockingProcessor(Processor.PASS),
      WarmUp.headers(":method", "GET", ":path", "/warm-up"),
      ProcessingRequest.newBuilder()
          .setResponseHeaders(WarmUp.headers(":status", "200", "content-type", "text/plain"))
          .build());

  private final StreamCalls calls;

  /** @param name what logs and metrics call it; without blanks */
  public ProcessorService(String name, ProcessorFactory factory) {
    this(name, factory, new VirtualWorkers(name, WORK_AT_ONCE), Patience.DEFAULT);
  }

  /**
   * @param workers run what may block or takes long: a {@link BlockingProcessor}'s callbacks, and late replies
   * @param patience how long that may take
   */
  public ProcessorService(
      String name, ProcessorFactory factory, Executor workers, Patience patience) {
    this.name = name;
    this.factory = factory;
    this.stats = new StreamStats(name);
    this.calls =
        new StreamCalls(stats, metadata -> first -> open(metadata, first), workers, patience);
  }

  /** What logs call it. */
  public String name() {
    return name;
  }

  /** What its streams come to, for {@link StreamStats#metrics}; a {@link ProcessorServer} does that itself. */
  public StreamStats stats() {
    return stats;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return Prebuilt.service(
        ExternalProcessorGrpc.getServiceDescriptor(),
        Prebuilt.answering(ExternalProcessorGrpc.getProcessMethod()),
        calls);
  }

  WarmUp warmUp() {
    return warmUp;
  }

  private Opened open(Metadata metadata, ProcessingRequest first) {
    var context = new StreamContext(metadata, first);
    return new Opened.With(warmUp.is(context.first()) ? warmUp.processor() : factory.open(context));
  }
}
