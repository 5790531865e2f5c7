package dev.gatehouse.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/** The servers of a run, each driven by a client of its own; all of them end with it. */
final class Stage implements AutoCloseable {
  final Shop shop = new Shop();

  private final Scenario scenario;
  private final Scratch folder;
  private final Opened opened = new Opened();

  Stage(Scenario scenario) throws IOException {
    this.scenario = scenario;
    this.folder = Scratch.create();
  }

  /** A Gatehouse that serves, and how long it took from its start until it did. */
  record Started(ServerProcess process, Load load, double seconds, List<byte[]> answers) {}

  /**
   * Starts a Gatehouse and waits until it answers.
   *
   * @param policies writes them into a folder
   * @param first what it is asked
   * @param more arguments
   */
  Started start(
      String name, List<String> jvm, Consumer<Path> policies, List<byte[]> first, List<String> more)
      throws IOException, InterruptedException {
    var its = Files.createTempDirectory(folder.path(), "policies");
    policies.accept(its);
    long began = System.nanoTime();
    var process = opened(ServerProcess.start(
        name, jvm, ServerProcess.gatehouse(scenario.service, its, more), folder.path()));
    var load = drive(process.address());
    try {
      var answers = load.ask(first);
      return new Started(process, load, (System.nanoTime() - began) / 1e9, answers);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(e.getMessage() + "\n" + process.log(), e);
    }
  }

  /** Starts a Gatehouse that nobody has asked for anything yet but whether it serves. */
  Started startUnasked(String name, Consumer<Path> policies, List<String> more)
      throws IOException, InterruptedException {
    var its = Files.createTempDirectory(folder.path(), "policies");
    policies.accept(its);
    long began = System.nanoTime();
    var process = opened(ServerProcess.start(
        name,
        ServerProcess.JVM,
        ServerProcess.gatehouse(scenario.service, its, more),
        folder.path()));
    var load = drive(process.address());
    load.awaitServing();
    return new Started(process, load, (System.nanoTime() - began) / 1e9, List.of());
  }

  /** Starts the empty server. */
  ServerProcess startEmpty(List<byte[]> answers) throws IOException, InterruptedException {
    var file = folder.path().resolve("answers");
    Files.write(file, answers.stream().map(Base64.getEncoder()::encodeToString).toList());
    var arguments = List.of(EmptyServer.class.getName(), scenario.word, "PORT", file.toString());
    return opened(ServerProcess.start("empty", ServerProcess.JVM, arguments, folder.path()));
  }

  Path folder() {
    return folder.path();
  }

  Load drive(InetSocketAddress server) {
    return opened(new Load(scenario, shop, server));
  }

  <C extends AutoCloseable> C opened(C closeable) {
    return opened.add(closeable);
  }

  @Override
  public void close() {
    opened.close();
    folder.close();
  }
}
