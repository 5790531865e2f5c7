package dev.gatehouse.extproc;

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

/** The ext-proc service, composed on this screen. */
public final class ExtProc implements Service {
  /** Bodies that wait for a worker; a stream holds its body as long. More are failed. */
  private static final int WAITING_BODIES = 256;

  private final WarmUp warmUp;
  private final ThreadPoolExecutor workers;
  private final ProcessorService service;

  private ExtProc(WarmUp warmUp, ThreadPoolExecutor workers, ProcessorService service) {
    this.warmUp = warmUp;
    this.workers = workers;
    this.service = service;
  }

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtProc create(
      PolicySource policies, ExtProcSettings settings, ServiceContext context) {
    var warmUp = new WarmUp();
    var plans = policies.live(PlanBook::compile);
    var workers = workers();
    var chooser = new Chooser(settings, context.decisions(), warmUp);
    return new ExtProc(warmUp, workers, new ProcessorService(plans, chooser, workers));
  }

  @Override
  public String name() {
    return "ext-proc";
  }

  @Override
  public ServerServiceDefinition definition() {
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
