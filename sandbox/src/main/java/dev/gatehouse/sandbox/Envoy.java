package dev.gatehouse.sandbox;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A running Envoy. It ends with {@link #close}, and also when this JVM ends in any way: a watcher process beside it reads a
 * pipe that only this JVM holds, and ends Envoy when the pipe does.
 */
public final class Envoy implements AutoCloseable {
  /** Forks the watcher, then becomes Envoy: {@code $$} is the same process before and after {@code exec}. */
  private static final String START_WATCHED =
      "exec 3<&0; { cat <&3 >/dev/null; kill -TERM $$ 2>/dev/null; } & exec \"$@\" 3<&- </dev/null";

  private static final Duration READY_WITHIN = Duration.ofSeconds(15);
  private static final Duration STOP_WITHIN = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(10);

  private final Process process;
  private final Path log;
  private final EnvoyAdmin admin;

  private Envoy(Process process, Path log, int adminPort) {
    this.process = process;
    this.log = log;
    this.admin = new EnvoyAdmin(new InetSocketAddress(InetAddress.getLoopbackAddress(), adminPort));
  }

  /**
   * Starts and waits until its listeners serve.
   *
   * @param config the bootstrap file; it must put the admin interface on {@code 127.0.0.1:adminPort}
   * @param log where Envoy writes its own log, warnings and worse
   * @throws IllegalStateException with the end of the log, when Envoy ends or is not ready in time
   */
  public static Envoy start(Path binary, Path config, int adminPort, Path log) {
    return start(binary, config, adminPort, log, null);
  }

  /** @param output hears each line that Envoy writes to its standard output, such as an access log; on a thread of its own */
  static Envoy start(
      Path binary, Path config, int adminPort, Path log, @Nullable Consumer<String> output) {
    var command = List.of(
        "/bin/sh",
        "-c",
        START_WATCHED,
        "gatehouse-envoy",
        binary.toString(),
        "-c",
        config.toString(),
        "--use-dynamic-base-id",
        "--concurrency",
        "2",
        "--log-level",
        "warning",
        "--log-path",
        log.toString(),
        "--file-flush-interval-msec",
        "20",
        "--drain-time-s",
        "1",
        "--parent-shutdown-time-s",
        "2");
    Process started;
    try {
      var own = ProcessBuilder.Redirect.appendTo(log.toFile());
      started = new ProcessBuilder(command)
          .redirectError(own)
          .redirectOutput(output == null ? own : ProcessBuilder.Redirect.PIPE)
          .start();
    } catch (IOException e) {
      throw new IllegalStateException("Envoy could not be started: " + binary, e);
    }
    var process = started;
    if (output != null) {
      Thread.ofVirtual().name("envoy-output").start(() -> follow(process, output));
    }
    var envoy = new Envoy(process, log, adminPort);
    try {
      envoy.awaitReady();
    } catch (RuntimeException e) {
      envoy.close();
      throw e;
    }
    return envoy;
  }

  private static void follow(Process process, Consumer<String> output) {
    try (var lines = process.inputReader()) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        output.accept(line);
      }
    } catch (IOException e) {
      // The pipe closes when Envoy ends.
    }
  }

  /** Whether Envoy takes this configuration; its complaint, or an empty text. */
  public static String validate(Path binary, Path config) {
    try {
      var process = new ProcessBuilder(
              binary.toString(),
              "--mode",
              "validate",
              "--log-level",
              "error",
              "-c",
              config.toString())
          .redirectErrorStream(true)
          .start();
      process.getOutputStream().close();
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? "" : output.strip();
    } catch (IOException e) {
      return e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  public long pid() {
    return process.pid();
  }

  /** Returns when it has ended, in whatever way. */
  public void awaitEnd() {
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  public boolean alive() {
    return process.isAlive();
  }

  /** Counters and gauges whose whole name the expression matches somewhere, by name. */
  public SortedMap<String, Long> stats(String regex) {
    return admin.stats(regex);
  }

  public EnvoyAdmin admin() {
    return admin;
  }

  /** The last lines of Envoy's own log. */
  public String logTail(int lines) {
    try {
      var all = Files.readString(log).strip().lines().toList();
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  private void awaitReady() {
    var deadline = System.nanoTime() + READY_WITHIN.toNanos();
    var why = new ArrayList<String>(List.of("no answer"));
    while (System.nanoTime() < deadline) {
      if (!process.isAlive()) {
        throw new IllegalStateException(
            "Envoy ended with status " + process.exitValue() + ":\n" + logTail(20));
      }
      try {
        var answer = admin.send("GET", "/ready");
        if (answer.statusCode() == 200) {
          return;
        }
        why.set(0, answer.body().strip());
      } catch (IllegalStateException e) {
        why.set(0, String.valueOf(e.getCause()));
      }
      pause();
    }
    throw new IllegalStateException("Envoy is not ready after "
        + READY_WITHIN.toSeconds()
        + " s ("
        + why.getFirst()
        + "):\n"
        + logTail(20));
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    admin.close();
    process.destroy();
    try {
      if (!process.waitFor(STOP_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
