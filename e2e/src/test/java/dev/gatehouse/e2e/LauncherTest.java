package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts around the program. */
final class LauncherTest {
  private static final String FIND_JAVA = "../cli/src/dist/libexec/find-java.sh";

  @TempDir
  Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../gatehouse",
        "../cli/src/dist/bin/gatehouse",
        "../cli/src/dist/bin/ratelimit",
        FIND_JAVA
      })
  void the_scripts_are_plain_shell(String script) throws Exception {
    assertThat(shell(Map.of(), "sh -n " + script)).isEqualTo(new Ended(0, ""));
  }

  @Test
  void java_home_comes_first() throws Exception {
    var jdk = jdk("jdk-25", "25.0.1");

    var ended = shell(
        Map.of("JAVA_HOME", jdk.toString()),
        ". " + FIND_JAVA + "; find_java java; echo $JAVA_HOME");

    assertThat(ended).isEqualTo(new Ended(0, jdk + "\n"));
  }

  @Test
  void a_java_home_that_is_too_old_is_passed_over() throws Exception {
    var old = jdk("jdk-17", "17.0.15");
    var jdk = jdk("home/.jdks/temurin-26", "26");

    var ended = shell(
        Map.of("JAVA_HOME", old.toString(), "HOME", folder.resolve("home").toString()),
        // Only the folders of this test: whatever JDKs the machine has are not to be found.
        ". " + FIND_JAVA + "; ls() { command ls -d " + folder
            + "/home/.jdks/*; }; find_java java; echo $JAVA_HOME");

    assertThat(ended).isEqualTo(new Ended(0, jdk + "\n"));
  }

  @Test
  void without_a_jdk_it_names_the_folders_that_it_searched() throws Exception {
    var old = jdk("jdk-17", "17.0.15");

    var ended = shell(
        Map.of("JAVA_HOME", old.toString()), ". " + FIND_JAVA + "; ls() { :; }; find_java java");

    assertThat(ended.code).isOne();
    assertThat(ended.output)
        .contains("no JDK of version 25 or newer with bin/java")
        .contains("/usr/lib/jvm")
        .contains(old + " (version 17)")
        .contains("set JAVA_HOME");
  }

  @Test
  void the_program_starts_through_a_link_from_any_folder() throws Exception {
    var link = Files.createSymbolicLink(
        folder.resolve("gatehouse"), Distribution.HOME.resolve("bin/gatehouse"));

    var ended = shell(
        Map.of("JAVA_HOME", System.getProperty("java.home")), "cd / && " + link + " --version");

    assertThat(ended.code).isZero();
    assertThat(ended.output).startsWith("gatehouse 0.1.0");
  }

  @Test
  void the_tar_holds_what_the_folder_holds() throws Exception {
    var ended =
        shell(Map.of(), "tar tzf " + Distribution.HOME.resolveSibling("gatehouse-0.1.0.tar.gz"));

    assertThat(ended.output.lines())
        .contains(
            "gatehouse-0.1.0/bin/gatehouse",
            "gatehouse-0.1.0/bin/ratelimit",
            "gatehouse-0.1.0/libexec/find-java.sh",
            "gatehouse-0.1.0/lib/gatehouse-cli-0.1.0.jar",
            "gatehouse-0.1.0/demo/policies/shop.yaml",
            "gatehouse-0.1.0/LICENSE",
            "gatehouse-0.1.0/README.md");
  }

  private Path jdk(String name, String version) throws IOException {
    var home = Files.createDirectories(folder.resolve(name));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    var java = Files.createDirectories(home.resolve("bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    return home;
  }

  private record Ended(int code, String output) {}

  private static Ended shell(Map<String, String> env, String script) throws Exception {
    var builder = new ProcessBuilder("/bin/sh", "-c", script).redirectErrorStream(true);
    builder.environment().put("PATH", "/usr/bin:/bin");
    builder.environment().putAll(env);
    var process = builder.start();
    process.getOutputStream().close();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), output);
  }
}
