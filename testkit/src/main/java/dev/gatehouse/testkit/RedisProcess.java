package dev.gatehouse.testkit;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.embedded.core.ExecutableProvider;

/**
 * A {@code redis-server} of a test's own, on a port of its own, which the test may stop, pause, restart and tell commands. The one on the
 * {@code PATH}, else the Redis 6.2 that embedded-redis carries. It listens in the clear whatever else it is told, so that a test can
 * always ask it.
 */
public final class RedisProcess implements AutoCloseable {
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(10);

  /** A cluster's bus is on the port 10,000 above: both below the ports that the system gives to clients. */
  private static final int FIRST_PORT = 10_100;

  private static final int PORTS = 12_000;
  private static final int BUS = 10_000;

  private final File executable;
  private final int port;
  private final int tlsPort;
  private final Path folder;
  private final List<String> options;
  private @Nullable Process process;

  private RedisProcess(File executable, int port, int tlsPort, Path folder, List<String> options) {
    this.executable = executable;
    this.port = port;
    this.tlsPort = tlsPort;
    this.folder = folder;
    this.options = options;
  }

  /**
   * Starts one and waits until it answers.
   *
   * @param options as on its command line, {@code --requirepass secret}; {@code FOLDER} in one stands for its folder, {@code
   *     TLS_PORT} for a second port
   */
  public static RedisProcess start(String... options) {
    var executable = executable()
        .orElseThrow(
            () -> new IllegalStateException(
                "no Redis that this test may stop, and it needs a process of its own: install redis-server"));
    return start(executable, options);
  }

  /** The oldest that we support: the Redis 6.2 that embedded-redis carries, whatever is on the {@code PATH}. */
  public static RedisProcess startOldest() {
    return start(
        embedded()
            .orElseThrow(
                () -> new IllegalStateException(
                    "embedded-redis has no Redis 6.2 for this platform, and this test needs that very one")));
  }

  private static RedisProcess start(File executable, String... options) {
    try {
      var folder = Files.createTempDirectory("gatehouse-redis");
      int tlsPort = freePort();
      var its = Stream.of(options)
          .map(option ->
              option.replace("FOLDER", folder.toString()).replace("TLS_PORT", "" + tlsPort))
          .toList();
      var redis = new RedisProcess(executable, freePort(), tlsPort, folder, its);
      Runtime.getRuntime().addShutdownHook(new Thread(redis::stop, "stop Redis"));
      redis.launch();
      return redis;
    } catch (IOException e) {
      throw new IllegalStateException("Redis cannot be started", e);
    }
  }

  static Optional<File> executable() {
    return onPath().or(RedisProcess::embedded);
  }

  private static Optional<File> onPath() {
    var path = System.getenv("PATH");
    return path == null
        ? Optional.empty()
        : Stream.of(path.split(File.pathSeparator))
            .map(folder -> new File(folder, "redis-server"))
            .filter(File::canExecute)
            .findFirst();
  }

  /** Unpacked once a JVM. */
  private static synchronized Optional<File> embedded() {
    if (unpacked == null) {
      try {
        unpacked = ExecutableProvider.newJarResourceProvider().get();
      } catch (IOException | RuntimeException e) {
        // It has none for this platform.
        return Optional.empty();
      }
    }
    return Optional.of(unpacked);
  }

  private static @Nullable File unpacked;

  /** One that nobody listens on, and neither on its bus. */
  static int freePort() throws IOException {
    for (int attempt = 0; attempt < 1000; attempt++) {
      int port = FIRST_PORT + ThreadLocalRandom.current().nextInt(PORTS);
      if (isFree(port) && isFree(port + BUS)) {
        return port;
      }
    }
    throw new IOException("no free port from " + FIRST_PORT + " up");
  }

  private static boolean isFree(int port) {
    try (var _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void launch() {
    List<String> command = new ArrayList<>(List.of(executable.getPath()));
    command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1"));
    command.addAll(List.of("--save", "", "--appendonly", "no", "--dir", folder.toString()));
    command.addAll(options);
    launch(command);
  }

  /**
   * A sentinel, which keeps what it knows in a file.
   *
   * @param configuration its lines
   */
  static RedisProcess startSentinel(List<String> configuration) {
    var executable =
        executable().orElseThrow(() -> new IllegalStateException("no Redis: install redis-server"));
    try {
      var folder = Files.createTempDirectory("gatehouse-sentinel");
      int port = freePort();
      var lines = new ArrayList<>(List.of("port " + port, "bind 127.0.0.1", "dir " + folder));
      lines.addAll(configuration);
      var file = Files.write(folder.resolve("sentinel.conf"), lines);
      var sentinel = new RedisProcess(executable, port, 0, folder, List.of());
      Runtime.getRuntime().addShutdownHook(new Thread(sentinel::stop, "stop a sentinel"));
      sentinel.launch(List.of(executable.getPath(), file.toString(), "--sentinel"));
      return sentinel;
    } catch (IOException e) {
      throw new IllegalStateException("a sentinel cannot be started", e);
    }
  }

  private void launch(List<String> command) {
    try {
      process = new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(folder.resolve("redis.log").toFile())
          .start();
    } catch (IOException e) {
      throw new IllegalStateException("Redis cannot be started: " + executable, e);
    }
    var started = process;
    await("Redis to start", () -> {
      if (!started.isAlive()) {
        throw new IllegalStateException("Redis did not start; it says:\n" + log());
      }
      return answers();
    });
  }

  /** Anything that it says, be it that it wants a password, but not that it still loads. */
  private boolean answers() {
    try (var connection = connect()) {
      var said = connection.ask("PING");
      return !String.valueOf(said).startsWith("LOADING");
    } catch (RedisSaid e) {
      return !String.valueOf(e.getMessage()).startsWith("LOADING");
    } catch (IOException e) {
      return false;
    }
  }

  /** Waits for a condition; a thread that polls, since what it waits for is another process. */
  static void await(String what, BooleanSupplier condition) {
    long until = System.nanoTime() + STARTS_WITHIN.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > until) {
        throw new IllegalStateException("waited in vain for " + what);
      }
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
  }

  private RedisWire connect() throws IOException {
    var socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
      socket.setSoTimeout(2000);
      return new RedisWire(socket);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Tells it one command, on a connection of its own.
   *
   * @return a String, a Long, a List or null
   * @throws RedisSaid its error
   */
  public @Nullable Object tell(String... command) {
    try (var connection = connect()) {
      return connection.ask(command);
    } catch (SocketTimeoutException e) {
      throw new IllegalStateException("Redis does not answer " + command[0], e);
    } catch (IOException e) {
      throw new IllegalStateException("Redis cannot be told " + command[0], e);
    }
  }

  /** As {@link #tell}, with the password of its default user. */
  @Nullable
  Object tellWith(String password, String... command) {
    try (var connection = connect()) {
      var _ = connection.ask("AUTH", password);
      return connection.ask(command);
    } catch (IOException e) {
      throw new IllegalStateException("Redis cannot be told " + command[0], e);
    }
  }

  /** What {@code INFO} says of this. */
  public String info(String name) {
    return String.valueOf(tell("INFO", "all"))
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1))
        .findFirst()
        .orElse("");
  }

  /**
   * Waits until its replica has all that was written to it. {@code WAIT} would not do: it waits for what its own connection has
   * written.
   */
  public void awaitReplicated() {
    await(
        "the replica to have all that was written",
        () -> info("slave0").contains("state=online,offset=" + info("master_repl_offset") + ","));
  }

  /** {@code redis://127.0.0.1:port}; stays the same over a {@link #restart}. */
  public String url() {
    return "redis://127.0.0.1:" + port;
  }

  public int port() {
    return port;
  }

  /** What {@code TLS_PORT} stood for. */
  public int tlsPort() {
    return tlsPort;
  }

  /** Where its files are: what it wrote, and its socket if it was told to have one there. */
  public Path folder() {
    return folder;
  }

  String log() {
    try {
      return Files.readString(folder.resolve("redis.log"));
    } catch (IOException e) {
      return "nothing (" + e + ")";
    }
  }

  /** SIGSTOP: it holds its connections and answers nothing. */
  public void pause() {
    signal("STOP");
  }

  /** SIGCONT. */
  public void resume() {
    signal("CONT");
  }

  private void signal(String name) {
    var running = process;
    if (running == null) {
      throw new IllegalStateException("this Redis does not run");
    }
    try {
      int code =
          new ProcessBuilder("kill", "-" + name, "" + running.pid()).start().waitFor();
      if (code != 0) {
        throw new IllegalStateException("kill -" + name + " ended with " + code);
      }
    } catch (IOException e) {
      throw new IllegalStateException("kill cannot be started", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** SIGKILL, which ends a process that SIGSTOP holds, too: connections break, and what was not written is gone. */
  public void stop() {
    var running = process;
    if (running == null) {
      return;
    }
    running.destroyForcibly();
    try {
      if (!running.waitFor(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("Redis does not end: process " + running.pid());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process = null;
  }

  /** Starts it again on the same port, with what it has written; stops it before if it runs. */
  public void restart() {
    stop();
    launch();
  }

  @Override
  public void close() {
    stop();
  }
}
