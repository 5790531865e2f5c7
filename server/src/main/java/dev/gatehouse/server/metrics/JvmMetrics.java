package dev.gatehouse.server.metrics;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.util.internal.PlatformDependent;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.SummaryWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Quantiles;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The JVM's memory, garbage collection and threads and the process's CPU, memory and files, under the names that Prometheus's
 * own client uses. Read when scraped; costs nothing otherwise.
 */
public final class JvmMetrics {
  private static final Path STATUS = Path.of("/proc/self/status");

  private JvmMetrics() {}

  public static void register(PrometheusRegistry registry) {
    memory(registry);
    garbageCollection(registry);
    threads(registry);
    process(registry);
  }

  private static void memory(PrometheusRegistry registry) {
    var memory = ManagementFactory.getMemoryMXBean();
    GaugeWithCallback.builder()
        .name("jvm_memory_used_bytes")
        .help("Used bytes of the heap and of the JVM's other memory.")
        .labelNames("area")
        .callback(gauge -> {
          gauge.call((double) memory.getHeapMemoryUsage().getUsed(), "heap");
          gauge.call((double) memory.getNonHeapMemoryUsage().getUsed(), "nonheap");
        })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_memory_committed_bytes")
        .help("Bytes that the JVM has of the system.")
        .labelNames("area")
        .callback(gauge -> {
          gauge.call((double) memory.getHeapMemoryUsage().getCommitted(), "heap");
          gauge.call((double) memory.getNonHeapMemoryUsage().getCommitted(), "nonheap");
        })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_memory_max_bytes")
        .help("The most bytes that the heap may have.")
        .labelNames("area")
        .callback(gauge -> gauge.call((double) memory.getHeapMemoryUsage().getMax(), "heap"))
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_buffer_pool_used_bytes")
        .help("Direct memory: the JVM's buffer pools, and what Netty has beside them.")
        .labelNames("pool")
        .callback(gauge -> {
          for (var pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            gauge.call((double) pool.getMemoryUsed(), pool.getName());
          }
          gauge.call((double) Math.max(0, PlatformDependent.usedDirectMemory()), "netty");
        })
        .register(registry);
  }

  private static void garbageCollection(PrometheusRegistry registry) {
    SummaryWithCallback.builder()
        .name("jvm_gc_collection_seconds")
        .help("Time spent in each garbage collector.")
        .labelNames("gc")
        .callback(summary -> {
          for (var gc : ManagementFactory.getGarbageCollectorMXBeans()) {
            summary.call(
                gc.getCollectionCount(),
                gc.getCollectionTime() / 1e3,
                Quantiles.EMPTY,
                gc.getName());
          }
        })
        .register(registry);
  }

  private static void threads(PrometheusRegistry registry) {
    var threads = ManagementFactory.getThreadMXBean();
    GaugeWithCallback.builder()
        .name("jvm_threads_current")
        .help("Live platform threads.")
        .callback(gauge -> gauge.call(threads.getThreadCount()))
        .register(registry);
  }

  private static void process(PrometheusRegistry registry) {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    var runtime = ManagementFactory.getRuntimeMXBean();
    CounterWithCallback.builder()
        .name("process_cpu_seconds_total")
        .help("CPU time of the process.")
        .callback(counter -> counter.call(system.getProcessCpuTime() / 1e9))
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_start_time_seconds")
        .help("When the process started.")
        .callback(gauge -> gauge.call(runtime.getStartTime() / 1e3))
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_resident_memory_bytes")
        .help("Resident memory; only on Linux.")
        .callback(gauge -> residentBytes().ifPresent(gauge::call))
        .register(registry);
    if (system instanceof UnixOperatingSystemMXBean unix) {
      GaugeWithCallback.builder()
          .name("process_open_fds")
          .help("Open files and sockets.")
          .callback(gauge -> gauge.call((double) unix.getOpenFileDescriptorCount()))
          .register(registry);
      GaugeWithCallback.builder()
          .name("process_max_fds")
          .help("How many files and sockets may be open.")
          .callback(gauge -> gauge.call((double) unix.getMaxFileDescriptorCount()))
          .register(registry);
    }
  }

  private static OptionalLong residentBytes() {
    if (!Files.isReadable(STATUS)) {
      return OptionalLong.empty();
    }
    try (var lines = Files.lines(STATUS)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
