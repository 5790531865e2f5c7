package dev.gatehouse.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A server in a process of its own, so that its CPU time can be told from the client's. */
final class ServerProcess implements AutoCloseable {
  /** The same for every server that is compared. */
  static final List<String> JVM =
      List.of("-XX:+UseSerialGC", "-Xms512m", "-Xmx512m", "--enable-native-access=ALL-UNNAMED");

  private static final Pattern THREAD_CPU =
      Pattern.compile("^\"([^\"]+)\".* cpu=([0-9.]+)ms ", Pattern.MULTILINE);

  private final String name;
  private final Process process;
  private final Path log;
  private final InetSocketAddress address;
  private final int admin;

  private ServerProcess(
      String name, Process process, Path log, InetSocketAddress address, int admin) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.address = address;
    this.admin = admin;
  }

  /** @param arguments main class and its arguments, {@code PORT} and {@code ADMIN} standing for ports */
  static ServerProcess start(String name, List<String> jvm, List<String> arguments, Path folder)
      throws IOException, InterruptedException {
    return start(name, java(jvm, arguments), folder);
  }

  /**
   * A service as it is shipped: by the distribution's launcher, with the options that it gives. It is ready when this returns.
   *
   * @param options of the JVM, beside those
   */
  static ServerProcess launch(String service, Path policies, String options, Path folder)
      throws IOException, InterruptedException {
    var builder = distribution(arguments(service, policies, List.of()));
    builder.environment().put("GATEHOUSE_JAVA_OPTS", options);
    var server = start(service, builder, folder);
    server.awaitReady();
    return server;
  }

  /** Writes what {@code gatehouse wire envoy} makes of policies. */
  static void wireEnvoy(Path into, List<String> options) throws IOException, InterruptedException {
    var arguments = new ArrayList<>(List.of("wire", "envoy"));
    arguments.addAll(options);
    var wire = distribution(arguments)
        .redirectOutput(into.toFile())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
    if (wire.waitFor() != 0) {
      throw new IllegalStateException("gatehouse wire envoy ended with " + wire.exitValue());
    }
  }

  /** The program as it is shipped. */
  private static ProcessBuilder distribution(List<String> arguments) {
    var launcher = Path.of(
        System.getProperty("gatehouse.distribution", "../cli/target/gatehouse"), "bin/gatehouse");
    if (!Files.isExecutable(launcher)) {
      throw new IllegalStateException(
          "no distribution at " + launcher + "; run: mvn -q -DskipTests package");
    }
    var command = new ArrayList<String>();
    command.add(launcher.toAbsolutePath().toString());
    command.addAll(arguments);
    var builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder;
  }

  private static ServerProcess start(String name, ProcessBuilder builder, Path folder)
      throws IOException, InterruptedException {
    int port = freePort();
    int admin = freePort();
    var log = folder.resolve(name.replace(' ', '-') + ".log");
    builder
        .command()
        .replaceAll(argument -> argument
            .replace("PORT", Integer.toString(port))
            .replace("ADMIN", Integer.toString(admin)));
    var process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    var server = new ServerProcess(name, process, log, address, admin);
    try {
      server.await("did not start", () -> listens(address));
    } catch (IOException | InterruptedException | RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  private interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  private void await(String otherwise, Condition condition)
      throws IOException, InterruptedException {
    var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.holds()) {
      requireAlive();
      if (System.nanoTime() > end) {
        throw new IllegalStateException(name + " " + otherwise + ":\n" + log());
      }
      Thread.sleep(20);
    }
  }

  private void awaitReady() throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/readyz"))
          .build();
      await(
          "is not ready",
          () -> listens(new InetSocketAddress(InetAddress.getLoopbackAddress(), admin))
              && client.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200);
    }
  }

  /** Another JVM of this kind with this class path. */
  static ProcessBuilder java(List<String> jvm, List<String> arguments) {
    var command = new ArrayList<String>();
    command.add(tool("java"));
    command.addAll(jvm);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }

  /** The arguments that start a service of ours. */
  static List<String> gatehouse(String service, Path policies, List<String> more) {
    var arguments = arguments(service, policies, more);
    arguments.addFirst("dev.gatehouse.cli.Gatehouse");
    return arguments;
  }

  private static List<String> arguments(String service, Path policies, List<String> more) {
    var arguments = new ArrayList<>(List.of(
        service,
        "--policies",
        policies.toString(),
        "--listen",
        "127.0.0.1:PORT",
        "--admin",
        "127.0.0.1:ADMIN"));
    arguments.addAll(more);
    return arguments;
  }

  InetSocketAddress address() {
    return address;
  }

  long pid() {
    return process.pid();
  }

  /** @throws IllegalStateException with its log, if it ended */
  void requireAlive() throws IOException {
    if (!process.isAlive()) {
      throw new IllegalStateException(
          name + " ended with " + process.exitValue() + ":\n" + Files.readString(log));
    }
  }

  String log() throws IOException {
    return Files.readString(log);
  }

  /**
   * What {@code /metrics} of its admin address says of a metric.
   *
   * @param name with its labels, as it is printed
   */
  double metric(String name) throws IOException, InterruptedException {
    return metrics()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new IOException("no metric " + name));
  }

  /** The whole of {@code /metrics}. */
  String metrics() throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var page = client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/metrics"))
              .build(),
          HttpResponse.BodyHandlers.ofString());
      return page.body();
    }
  }

  /** A full garbage collection, whatever the collector. */
  void collectGarbage() throws IOException, InterruptedException {
    var _ = jcmd("GC.run");
  }

  /** CPU milliseconds so far of each of its threads whose name begins so. */
  Map<String, Double> threadCpu(String prefix) throws IOException, InterruptedException {
    var cpu = new HashMap<String, Double>();
    var lines = THREAD_CPU.matcher(jcmd("Thread.print"));
    while (lines.find()) {
      if (lines.group(1).startsWith(prefix)) {
        cpu.put(lines.group(1), Double.parseDouble(lines.group(2)));
      }
    }
    return cpu;
  }

  private String jcmd(String what) throws IOException, InterruptedException {
    var jcmd = new ProcessBuilder(tool("jcmd"), Long.toString(pid()), what)
        .redirectErrorStream(true)
        .start();
    var said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (jcmd.waitFor() != 0) {
      throw new IOException("jcmd " + what + ": " + said);
    }
    return said;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static boolean listens(InetSocketAddress address) {
    try (var socket = new Socket()) {
      socket.connect(address, 200);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  double residentMegabytes(String field) throws IOException {
    return residentMegabytes(pid(), field);
  }

  /**
   * What a process has in memory, heap and all else.
   *
   * @param field of proc(5)'s status: {@code VmRSS} now, {@code VmHWM} at its peak
   */
  static double residentMegabytes(long pid, String field) throws IOException {
    for (var line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith(field + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024d;
      }
    }
    throw new IOException("no " + field + " of process " + pid);
  }

  /** User and system time of a process so far, in seconds (proc(5), fields 14 and 15 of stat; 100 ticks a second). */
  static double cpuSeconds(long pid) throws IOException {
    var stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
  }
}
