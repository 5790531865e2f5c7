package dev.gatehouse.extproc;

import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Prebuilt;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The ext-proc service, composed on this screen. */
public final class ExtProc implements Service {
  /** Bodies that wait for a worker; a stream holds its body as long. More are failed. */
  private static final int WAITING_BODIES = 256;

  private final WarmUp warmUp;
  private final ThreadPoolExecutor workers;
  private final Function<@Nullable StepRecord, ProcessorService> services;

  private ExtProc(
      WarmUp warmUp,
      ThreadPoolExecutor workers,
      Function<@Nullable StepRecord, ProcessorService> services) {
    this.warmUp = warmUp;
    this.workers = workers;
    this.services = services;
  }

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtProc create(
      PolicySource policies, ExtProcSettings settings, ServiceContext context) {
    var warmUp = new WarmUp();
    var plans = policies.live(PlanBook::compile);
    var workers = workers();
    return new ExtProc(
        warmUp,
        workers,
        record -> new ProcessorService(
            plans, new Chooser(settings, context.decisions(), warmUp, record), workers));
  }

  @Override
  public String name() {
    return "ext-proc";
  }

  @Override
  public ServerServiceDefinition definition() {
    return definition(services.apply(null));
  }

  /** The service as it serves, whose next stream tells what each step does. */
  public ServerServiceDefinition explaining(StepRecord record) {
    return definition(services.apply(record));
  }

  private static ServerServiceDefinition definition(ProcessorService service) {
    return ServerServiceDefinition.builder(ExternalProcessorGrpc.SERVICE_NAME)
        .addMethod(Prebuilt.answering(ExternalProcessorGrpc.getProcessMethod()), service)
        .build();
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return warmUp.calls();
  }

  @Override
  public void close() {
    workers.shutdownNow();
  }

  /** For bodies that would hold an event loop too long. */
  private static ThreadPoolExecutor workers() {
    var threads = Runtime.getRuntime().availableProcessors();
    var pool = new ThreadPoolExecutor(
        threads,
        threads,
        30,
        TimeUnit.SECONDS,
        new ArrayBlockingQueue<>(WAITING_BODIES),
        Thread.ofPlatform().name("ext-proc-bodies-", 0).daemon(true).factory());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }
}
