package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** The distribution as {@code mvn package} leaves it, run as a user would run it. */
final class Distribution {
  static final Path HOME = Path.of("../cli/target/gatehouse").toAbsolutePath().normalize();

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private Distribution() {}

  /** What a command printed, both streams together, and how it ended. */
  record Ended(int code, String output) {}

  static Ended run(String program, String... arguments) throws IOException, InterruptedException {
    var process = start(Map.of(), program, arguments);
    if (!process.process.waitFor(60, TimeUnit.SECONDS)) {
      process.close();
      throw new AssertionError(program + " does not end:\n" + process.output());
    }
    process.reader.join();
    return new Ended(process.process.exitValue(), process.output());
  }

  static Running start(Map<String, String> env, String program, String... arguments)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(HOME.resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
    builder.environment().remove("REDIS_URL");
    builder.environment().putAll(env);
    return new Running(builder.start());
  }

  /**
   * With nothing in the environment but this, the JDK and the PATH.
   *
   * @param inside a command that runs the program, such as {@link ReadOnly#command}
   */
  static Running startAlone(
      List<String> inside, Map<String, String> env, String program, String... arguments)
      throws IOException {
    var command = new ArrayList<>(inside);
    command.add(HOME.resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().retainAll(List.of("PATH"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(env);
    return new Running(builder.start());
  }

  static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** A process of ours, whose output is read as it comes. */
  static final class Running implements AutoCloseable {
    private final Process process;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Thread reader;

    private Running(Process process) {
      this.process = process;
      this.reader = Thread.ofPlatform().daemon().start(this::read);
    }

    private void read() {
      try (var in = process.inputReader(StandardCharsets.UTF_8)) {
        in.lines().forEach(lines::add);
      } catch (IOException | java.io.UncheckedIOException e) {
        lines.add("(" + e.getMessage() + ")");
      }
    }

    String output() {
      return String.join("\n", lines);
    }

    boolean says(String text) {
      return lines.stream().anyMatch(line -> line.contains(text));
    }

    /** Waits until it has said all of them: what it prints is read behind its answers. */
    void awaitSays(String... texts) {
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(() -> assertThat(output()).contains(texts));
    }

    boolean alive() {
      return process.isAlive();
    }

    /** Waits until its admin interface says that it is ready. */
    void awaitReady(int admin) {
      await().atMost(Duration.ofSeconds(60)).until(() -> {
        if (!alive()) {
          throw new AssertionError("it ended:\n" + output());
        }
        return status(admin, "/readyz") == 200;
      });
    }

    ProcessHandle handle() {
      return process.toHandle();
    }

    /** SIGTERM, and how it ended. */
    int terminated() throws InterruptedException {
      handle().destroy();
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        throw new AssertionError("still there 30 s after SIGTERM:\n" + output());
      }
      reader.join();
      return process.exitValue();
    }

    @Override
    public void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** The status of a GET, or 0 while nobody answers. */
  static int status(int port, String path) {
    try {
      return HTTP.send(get(port, path), HttpResponse.BodyHandlers.discarding()).statusCode();
    } catch (IOException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }

  static String body(int port, String path) throws IOException, InterruptedException {
    return HTTP.send(get(port, path), HttpResponse.BodyHandlers.ofString()).body();
  }

  private static HttpRequest get(int port, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
  }

  /** A copy of the demo's policies. */
  static Path demoPolicies(Path into) throws IOException {
    Files.createDirectories(into);
    try (var files = Files.list(HOME.resolve("demo/policies"))) {
      for (var file : files.toList()) {
        Files.copy(file, into.resolve(file.getFileName()));
      }
    }
    return into;
  }
}
