package dev.gatehouse.testkit;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis for tests. Looked for in this order: {@code REDIS_URL}; {@code redis-server} on the {@code PATH}; the Redis 6.2 that
 * embedded-redis carries; a container. Where there is none the test fails and says what to do: it never passes unseen.
 *
 * <p>Tests share a Redis, so each takes a {@link #freshPrefix}. Those that break it start {@linkplain #startProcess their own}.
 */
public final class RedisFixture implements AutoCloseable {
  private static final String IMAGE = "redis:7.4-alpine";
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(10);
  private static final String HOW_TO_GET_ONE =
      "install redis-server (Debian: apt-get install redis-server), or set REDIS_URL to one, or start a container engine";

  private final Server server;

  private RedisFixture(Server server) {
    this.server = server;
  }

  /** The first Redis that is there. */
  public static RedisFixture start() {
    var url = System.getenv("REDIS_URL");
    if (url != null && !url.isBlank()) {
      return new RedisFixture(new Foreign(url));
    }
    var executable = executable();
    if (executable.isPresent()) {
      return new RedisFixture(OwnProcess.start(executable.get()));
    }
    if (DockerClientFactory.instance().isDockerAvailable()) {
      return new RedisFixture(Container.start());
    }
    throw new IllegalStateException("no Redis for this test: " + HOW_TO_GET_ONE);
  }

  /** A Redis of this test's own, which it may {@link #stop}, {@link #pause} and {@link #restart}; a process, whatever {@code REDIS_URL} says. */
  public static RedisFixture startProcess() {
    var executable = executable()
        .orElseThrow(
            () -> new IllegalStateException(
                "no Redis that this test may stop, and it needs a process of its own: install redis-server"));
    return new RedisFixture(OwnProcess.start(executable));
  }

  /** {@code redis://host:port}; stays the same over a {@link #restart}. */
  public String url() {
    return server.url();
  }

  /** A prefix for the keys of one test, which no other test has. */
  public String freshPrefix() {
    return "test-" + UUID.randomUUID() + ":";
  }

  /** Ends it as a crash would: connections break, data is gone. */
  public void stop() {
    own().stop();
  }

  /** Starts it again on the same port, empty; stops it before if it runs. */
  public void restart() {
    own().stop();
    own().launch();
  }

  /** SIGSTOP: it holds its connections and answers nothing. */
  public void pause() {
    own().signal("STOP");
  }

  /** SIGCONT. */
  public void resume() {
    own().signal("CONT");
  }

  private OwnProcess own() {
    if (server instanceof OwnProcess process) {
      return process;
    }
    throw new IllegalStateException("this Redis (" + server.url()
        + ") is not the test's own to stop: use RedisFixture.startProcess()");
  }

  @Override
  public void close() {
    server.close();
  }

  private static Optional<File> executable() {
    return onPath().or(RedisFixture::embedded);
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

  private sealed interface Server extends AutoCloseable {
    String url();

    @Override
    void close();
  }

  private record Foreign(String url) implements Server {
    @Override
    public void close() {}
  }

  private record Container(GenericContainer<?> container) implements Server {
    @SuppressWarnings("resource") // the record closes it
    static Container start() {
      var container = new GenericContainer<>(DockerImageName.parse(IMAGE)).withExposedPorts(6379);
      container.start();
      return new Container(container);
    }

    @Override
    public String url() {
      return "redis://" + container.getHost() + ":" + container.getMappedPort(6379);
    }

    @Override
    public void close() {
      container.close();
    }
  }

  private static final class OwnProcess implements Server {
    private final File executable;
    private final int port;
    private final Path folder;
    private @Nullable Process process;

    private OwnProcess(File executable, int port, Path folder) {
      this.executable = executable;
      this.port = port;
      this.folder = folder;
    }

    static OwnProcess start(File executable) {
      try {
        var own =
            new OwnProcess(executable, freePort(), Files.createTempDirectory("gatehouse-redis"));
        Runtime.getRuntime().addShutdownHook(new Thread(own::stop, "stop Redis"));
        own.launch();
        return own;
      } catch (IOException e) {
        throw new IllegalStateException("Redis cannot be started", e);
      }
    }

    private static int freePort() throws IOException {
      try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      }
    }

    void launch() {
      List<String> command = new ArrayList<>(List.of(executable.getPath()));
      command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1"));
      command.addAll(List.of("--save", "", "--appendonly", "no", "--dir", folder.toString()));
      try {
        process = new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("redis.log").toFile())
            .start();
      } catch (IOException e) {
        throw new IllegalStateException("Redis cannot be started: " + executable, e);
      }
      awaitAnswer(process);
    }

    private void awaitAnswer(Process started) {
      long until = System.nanoTime() + STARTS_WITHIN.toNanos();
      while (!answers()) {
        if (!started.isAlive() || System.nanoTime() > until) {
          throw new IllegalStateException("Redis did not start; it says:\n" + log());
        }
        Thread.onSpinWait();
      }
    }

    private boolean answers() {
      try (var socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
        socket.setSoTimeout(500);
        socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
        return socket.getInputStream().read() == '+';
      } catch (IOException e) {
        return false;
      }
    }

    private String log() {
      try {
        return Files.readString(folder.resolve("redis.log"));
      } catch (IOException e) {
        return "nothing (" + e + ")";
      }
    }

    void signal(String name) {
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

    @Override
    public String url() {
      return "redis://127.0.0.1:" + port;
    }

    /** SIGKILL ends a process that SIGSTOP holds, too. */
    void stop() {
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

    @Override
    public void close() {
      stop();
    }
  }
}
