package dev.gatehouse.bench;

import dev.gatehouse.sandbox.Envoy;
import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.Ports;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * Large responses through ext-proc as it is shipped and a real Envoy as {@code wire} configures it, so under FULL_DUPLEX_STREAMED: two
 * fields masked in each of many records, every byte compared on its way.
 */
final class Redaction implements AutoCloseable {
  private static final String LOOPBACK = "127.0.0.1";
  private static final double MEGA = 1e6;

  private final Opened opened = new Opened();
  private final ServerProcess extProc;
  private final Envoy envoy;
  private final RecordsClient client;

  /**
   * @param bytes of each response
   * @param options of the JVM, beside those that the launcher gives
   */
  Redaction(Path folder, long bytes, String options) throws IOException, InterruptedException {
    try {
      var upstream = opened(new RecordsUpstream(loop(), bytes));
      var policies = Files.createDirectories(folder.resolve("policies"));
      Files.writeString(policies.resolve("policies.yaml"), Shop.resource("redacting.yaml"));
      extProc = opened(ServerProcess.launch("ext-proc", policies, options, folder));
      var ports = opened(new Ports());
      int listener = ports.free();
      int admin = ports.free();
      var config = folder.resolve("envoy.yaml");
      ServerProcess.wireEnvoy(
          config,
          List.of(
              "--policies=" + policies,
              "--bind=" + LOOPBACK,
              "--listener-port=shop/web/http=" + listener,
              "--envoy-admin=" + LOOPBACK + ":" + admin,
              "--backend=shop/records=" + LOOPBACK + ":" + upstream.port(),
              "--ext-proc=" + LOOPBACK + ":" + extProc.address().getPort()));
      if (!Files.readString(config).contains("FULL_DUPLEX_STREAMED")) {
        throw new IllegalStateException("wire does not ask for FULL_DUPLEX_STREAMED");
      }
      var binary = EnvoyBinary.find(System.getenv(), Bench::progress);
      envoy = opened(Envoy.start(binary, config, admin, folder.resolve("envoy.log")));
      client = new RecordsClient(loop(), listener, bytes);
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * What it took.
   *
   * @param bytes of all bodies
   * @param cpu seconds of ext-proc, and of Envoy
   * @param restingMegabytes resident before the first response
   * @param peakMegabytes most that was ever resident of ext-proc, heap and all else
   */
  record Took(
      long bytes,
      double seconds,
      double cpu,
      double envoyCpu,
      double restingMegabytes,
      double peakMegabytes,
      double envoyPeakMegabytes) {
    double megabytesASecond() {
      return bytes / MEGA / seconds;
    }
  }

  /**
   * All of them at once.
   *
   * @param slow how many of them have a slow client; it takes no longer for them
   * @param progress told about once a second of the bytes so far and the megabytes resident
   * @throws IllegalStateException where a body is not what it should be, or nothing comes any more
   */
  Took fetch(int streams, int slow, BiConsumer<Long, Double> progress)
      throws IOException, InterruptedException {
    double resting = extProc.residentMegabytes("VmRSS");
    double cpu = ServerProcess.cpuSeconds(extProc.pid());
    double envoyCpu = ServerProcess.cpuSeconds(envoy.pid());
    long began = System.nanoTime();
    var fetches = IntStream.range(0, streams)
        .mapToObj(number -> client.fetch(number, number < slow))
        .toList();
    await(fetches.subList(slow, streams), progress);
    var took = new Took(
        client.received(),
        (System.nanoTime() - began) / 1e9,
        ServerProcess.cpuSeconds(extProc.pid()) - cpu,
        ServerProcess.cpuSeconds(envoy.pid()) - envoyCpu,
        resting,
        extProc.residentMegabytes("VmHWM"),
        ServerProcess.residentMegabytes(envoy.pid(), "VmHWM"));
    extProc.requireAlive();
    for (var fetch : fetches) {
      if (fetch.isCompletedExceptionally()) {
        requireDone(fetch);
      }
    }
    return took;
  }

  private void await(List<CompletableFuture<Void>> fetches, BiConsumer<Long, Double> progress)
      throws IOException, InterruptedException {
    var all = CompletableFuture.allOf(fetches.toArray(CompletableFuture[]::new));
    int idle = 0;
    for (long before = -1; idle < 20; ) {
      try {
        all.get(1, TimeUnit.SECONDS);
        return;
      } catch (TimeoutException e) {
        progress.accept(client.received(), extProc.residentMegabytes("VmRSS"));
      } catch (ExecutionException e) {
        throw new IllegalStateException(why(e) + "\n" + envoy.logTail(5) + "\n" + extProc.log(), e);
      }
      idle = client.received() == before ? idle + 1 : 0;
      before = client.received();
    }
    throw new IllegalStateException("nothing has come for " + idle + " s");
  }

  private static void requireDone(CompletableFuture<Void> fetch) throws InterruptedException {
    try {
      fetch.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(why(e), e);
    }
  }

  private static String why(ExecutionException e) {
    var cause = e.getCause();
    return String.valueOf(cause == null ? e.getMessage() : cause.getMessage());
  }

  private EventLoopGroup loop() {
    var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    opened.add(() -> {
      var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    });
    return loop;
  }

  private <C extends AutoCloseable> C opened(C closeable) {
    return opened.add(closeable);
  }

  @Override
  public void close() {
    opened.close();
  }
}
