package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A {@link Crowd} in a process of its own, which can be killed. It writes a byte for each caller whom it admits. */
final class ReplicaProcess implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofMillis(200);

  final AtomicLong admitted = new AtomicLong();
  private final Process process;
  private final Thread reader;

  private ReplicaProcess(Process process) {
    this.process = process;
    this.reader = new Thread(this::read, "admitted");
  }

  static ReplicaProcess start(String url, String prefix, Algorithm algorithm, long requests) {
    try {
      var process = new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-XX:+UseSerialGC",
              "-XX:TieredStopAtLevel=1",
              "--enable-native-access=ALL-UNNAMED",
              "-cp",
              System.getProperty("java.class.path"),
              ReplicaProcess.class.getName(),
              url,
              prefix,
              algorithm.name(),
              "" + requests)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      var replica = new ReplicaProcess(process);
      replica.reader.start();
      return replica;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read() {
    var buffer = new byte[4096];
    try (var in = process.getInputStream()) {
      for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
        admitted.addAndGet(n);
      }
    } catch (IOException e) {
      // It was killed: what it wrote before was read.
      return;
    }
  }

  /** SIGKILL; everything that it wrote has been read when this returns. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the replica does not end");
      }
      reader.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public static void main(String[] args) throws InterruptedException {
    var settings = RedisUrl.parse(args[0]).with(TIMEOUT, args[1]);
    var limit = RedisExactnessTest.limit(Algorithm.valueOf(args[2]), Long.parseLong(args[3]));
    var out = new FileOutputStream(FileDescriptor.out);
    var crowd = new Crowd(settings, hit(limit, "", 1), () -> {
      try {
        out.write('+');
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
    crowd.begin();
    Thread.currentThread().join();
  }
}
