package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution as {@code mvn package} leaves it, in processes of its own. */
final class DistributionTest {
  private static final Path HOME =
      Path.of("../cli/target/gatehouse").toAbsolutePath().normalize();
  private static final Path DEMO =
      Path.of("../deploy/demo/policies").toAbsolutePath().normalize();
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(60);

  @TempDir
  Path folder;

  @Test
  void it_says_its_version_and_helps() throws Exception {
    var version = run(Map.of(), "bin/gatehouse", "--version");
    assertThat(version.status).isZero();
    assertThat(version.output).startsWith("gatehouse 0.1.0");

    var help = run(Map.of(), "bin/ratelimit", "--help");
    assertThat(help.status).isZero();
    assertThat(help.output).contains("Usage: gatehouse ratelimit").contains("GRPC_PORT");
  }

  @Test
  void it_runs_from_a_link_and_from_another_folder() throws Exception {
    var link = Files.createSymbolicLink(folder.resolve("gatehouse"), HOME.resolve("bin/gatehouse"));

    assertThat(run(Map.of(), link.toString(), "--version").status).isZero();
  }

  @Test
  void without_a_jdk_it_names_where_it_looked() throws Exception {
    var script = ". " + HOME.resolve("libexec/find-java.sh") + "; find_java no-such-tool";
    var run = exec(Map.of(), "/bin/sh", "-c", script);

    assertThat(run.status).isOne();
    assertThat(run.output)
        .contains("no JDK of version 25 or newer with bin/no-such-tool")
        .contains("/usr/lib/jvm")
        .contains("set JAVA_HOME");
  }

  @Test
  void the_scripts_are_plain_posix_shell() throws Exception {
    for (var script : List.of(
        "../gatehouse",
        "../cli/src/dist/bin/gatehouse",
        "../cli/src/dist/bin/ratelimit",
        "../cli/src/dist/libexec/find-java.sh")) {
      assertThat(exec(Map.of(), "/bin/sh", "-n", script)).as(script).isEqualTo(new Run(0, ""));
    }
  }

  @Test
  void the_tar_holds_what_the_folder_holds() throws Exception {
    var tar = exec(
        Map.of(), "tar", "tzf", HOME.resolveSibling("gatehouse-0.1.0.tar.gz").toString());

    assertThat(tar.output)
        .contains("gatehouse-0.1.0/bin/gatehouse")
        .contains("gatehouse-0.1.0/bin/ratelimit")
        .contains("gatehouse-0.1.0/lib/gatehouse-cli-0.1.0.jar")
        .contains("gatehouse-0.1.0/demo/policies/")
        .contains("gatehouse-0.1.0/LICENSE")
        .contains("gatehouse-0.1.0/README.md");
  }

  @Test
  void all_three_serve_and_end_on_sigterm() throws Exception {
    var output = folder.resolve("run.out");
    var process = start(
        Map.of(),
        output,
        "bin/gatehouse",
        "run",
        "--policies",
        DEMO.toString(),
        "--ext-authz-listen",
        "127.0.0.1:0",
        "--ratelimit-listen",
        "127.0.0.1:0",
        "--ext-proc-listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--drain",
        "0s");
    try {
      var admin = address(output, "admin +(http://\\S+)");
      assertThat(get(admin + "/readyz").statusCode()).isEqualTo(200);
      assertThat(get(admin + "/policies").body()).contains("shop/orders").doesNotContain("\"kty\"");
      assertThat(get(admin + "/metrics").body()).contains("gatehouse_");

      process.destroy();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void ratelimit_takes_the_reference_services_environment() throws Exception {
    try (var grpc = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var http = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var grpcPort = grpc.getLocalPort();
      var port = http.getLocalPort();
      grpc.close();
      http.close();
      var output = folder.resolve("ratelimit.out");
      var process = start(
          Map.of(
              "GRPC_HOST",
              "127.0.0.1",
              "GRPC_PORT",
              Integer.toString(grpcPort),
              "HOST",
              "127.0.0.1",
              "PORT",
              Integer.toString(port)),
          output,
          "bin/ratelimit",
          "--policies",
          DEMO.toString(),
          "--drain",
          "0s");
      try {
        assertThat(address(output, "ratelimit +(\\S+)")).isEqualTo("127.0.0.1:" + grpcPort);
        assertThat(get("http://127.0.0.1:" + port + "/healthz").statusCode()).isEqualTo(200);
      } finally {
        process.destroy();
        process.waitFor(20, TimeUnit.SECONDS);
        process.destroyForcibly();
      }
    }
  }

  @Test
  void a_taken_port_is_named_with_its_flag() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var address = "127.0.0.1:" + taken.getLocalPort();
      var run = run(
          Map.of(),
          "bin/gatehouse",
          "ext-proc",
          "--policies",
          DEMO.toString(),
          "--listen",
          address,
          "--admin",
          "127.0.0.1:0");

      assertThat(run.status).isOne();
      assertThat(run.output).contains(address).contains("--listen");
    }
  }

  private record Run(int status, String output) {}

  private Run run(Map<String, String> env, String... command) throws Exception {
    return exec(env, inHome(command));
  }

  private Run exec(Map<String, String> env, String... command) throws Exception {
    var output = Files.createTempFile(folder, "run", ".out");
    var process = process(env, output, command);
    if (!process.waitFor(STARTS_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    return new Run(process.waitFor(), Files.readString(output));
  }

  private static Process start(Map<String, String> env, Path output, String... command)
      throws IOException {
    return process(env, output, inHome(command));
  }

  private static Process process(Map<String, String> env, Path output, String... command)
      throws IOException {
    var all = new HashMap<>(env);
    all.put("JAVA_HOME", System.getProperty("java.home"));
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("GATEHOUSE_") || name.startsWith("REDIS_"));
    builder.environment().putAll(all);
    return builder.start();
  }

  private static String[] inHome(String... command) {
    assertThat(HOME.resolve("bin/gatehouse"))
        .as("the distribution; 'mvn package' makes it")
        .isExecutable();
    var words = new ArrayList<>(List.of(command));
    if (!words.getFirst().startsWith("/")) {
      words.set(0, HOME.resolve(words.getFirst()).toString());
    }
    return words.toArray(String[]::new);
  }

  private static String address(Path output, String regex) {
    var pattern = Pattern.compile("^" + regex + "$", Pattern.MULTILINE);
    await()
        .atMost(STARTS_WITHIN)
        .untilAsserted(() -> assertThat(Files.readString(output)).containsPattern(pattern));
    try {
      var match = pattern.matcher(Files.readString(output));
      assertThat(match.find()).isTrue();
      return match.group(1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static HttpResponse<String> get(String uri) throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      return http.send(
          HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
