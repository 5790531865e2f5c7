package dev.gatehouse.testkit;

import java.util.UUID;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * A real Redis for tests. Looked for in this order: {@code REDIS_URL}; {@code redis-server} on the {@code PATH}; the Redis 6.2 that
 * embedded-redis carries; a container. Where there is none the test fails and says what to do: it never passes unseen.
 *
 * <p>Tests share a Redis, so each takes a {@link #freshPrefix}. Those that break it start {@linkplain #startProcess their own}.
 */
public final class RedisFixture implements AutoCloseable {
  private static final String IMAGE = "redis:7.4-alpine";
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
    if (RedisProcess.executable().isPresent()) {
      return startProcess();
    }
    if (DockerClientFactory.instance().isDockerAvailable()) {
      return new RedisFixture(Container.start());
    }
    throw new IllegalStateException("no Redis for this test: " + HOW_TO_GET_ONE);
  }

  /** A Redis of this test's own, which it may {@link #stop}, {@link #pause} and {@link #restart}; a process, whatever {@code REDIS_URL} says. */
  public static RedisFixture startProcess() {
    return new RedisFixture(new Own(RedisProcess.start()));
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
    own().restart();
  }

  /** SIGSTOP: it holds its connections and answers nothing. */
  public void pause() {
    own().pause();
  }

  /** SIGCONT. */
  public void resume() {
    own().resume();
  }

  private RedisProcess own() {
    if (server instanceof Own(var process)) {
      return process;
    }
    throw new IllegalStateException("this Redis (" + server.url()
        + ") is not the test's own to stop: use RedisFixture.startProcess()");
  }

  @Override
  public void close() {
    server.close();
  }

  private sealed interface Server extends AutoCloseable {
    String url();

    @Override
    void close();
  }

  private record Own(RedisProcess process) implements Server {
    @Override
    public String url() {
      return process.url();
    }

    @Override
    public void close() {
      process.close();
    }
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
}
