package dev.gatehouse.extproc;

import dev.gatehouse.extproc.kit.ProcessorService;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.StreamStats;
import dev.gatehouse.extproc.stream.WarmUp;
import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.grpc.ServerServiceDefinition;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The ext-proc service, composed on this screen: TransformPolicies as one processor among those that the kit can serve. */
public final class ExtProc implements Service {
  /** Bodies that wait for a worker; a stream holds its body as long. More are failed. */
  private static final int WAITING_BODIES = 256;

  private final WarmUp warmUp;
  private final ThreadPoolExecutor workers;
  private final Function<@Nullable StepRecord, ProcessorService> services;
  private final ProcessorService service;
  private final PrometheusRegistry registry;
  private final List<Collector> metrics;

  private ExtProc(
      WarmUp warmUp,
      ThreadPoolExecutor workers,
      Function<@Nullable StepRecord, ProcessorService> services,
      PrometheusRegistry registry) {
    this.warmUp = warmUp;
    this.workers = workers;
    this.services = services;
    this.service = services.apply(null);
    this.registry = registry;
    this.metrics = StreamStats.metrics(List.of(service.stats()));
    metrics.forEach(registry::register);
    service.stats().warmingUp();
  }

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtProc create(
      PolicySource policies, ExtProcSettings settings, ServiceContext context) {
    var warmUp = WarmUpPolicy.warmUp();
    var plans = policies.live(PlanBook::compile);
    var workers = workers();
    return new ExtProc(
        warmUp,
        workers,
        record -> {
          var chooser = new Chooser(settings, context.decisions(), warmUp, record);
          return new ProcessorService(
              "transform-policy",
              stream -> chooser.open(plans.current(), stream),
              workers,
              Patience.DEFAULT);
        },
        context.metrics());
  }

  @Override
  public String name() {
    return "ext-proc";
  }

  @Override
  public ServerServiceDefinition definition() {
    return service.bindService();
  }

  /** The service as it serves, whose next stream tells what each step does. */
  public ServerServiceDefinition explaining(StepRecord record) {
    return services.apply(record).bindService();
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return warmUp.calls();
  }

  @Override
  public void ready() {
    service.stats().ready();
  }

  @Override
  public void close() {
    workers.shutdownNow();
    metrics.forEach(registry::unregister);
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
