package dev.gatehouse.e2e;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A place where nothing can be written, as a container with a read-only root is: a mount namespace of its own in which every file system is
 * mounted read-only, and a user without a name or any right. Where the machine does not allow that, a temporary folder that is not there
 * has to do, and the test says so.
 */
record ReadOnly(List<String> command, Map<String, String> env) {
  private static final String SCRIPT = """
      for at in $(awk '$2 !~ "^/(proc|sys)" {print $2}' /proc/mounts | sort -r); do mount -o remount,bind,ro "$at" 2>/dev/null; done
      mount -o remount,bind,ro / || exit 99
      for folder in /tmp /var/tmp /dev/shm . "$HOME"; do
        if touch "$folder/written" 2>/dev/null; then echo "$folder can be written to"; exit 99; fi
      done
      exec unshare -U --map-user=65534 --map-group=65534 "$@"
      """;

  static ReadOnly here() throws IOException, InterruptedException {
    var inside = List.of("unshare", "-rm", "/bin/sh", "-c", SCRIPT, "read-only");
    if (works(inside)) {
      return new ReadOnly(inside, Map.of());
    }
    System.err.println(
        "this machine allows no namespaces: only the temporary folder is not writable in this test");
    return new ReadOnly(
        List.of(), Map.of("GATEHOUSE_JAVA_OPTS", "-Djava.io.tmpdir=/nonexistent/folder"));
  }

  private static boolean works(List<String> inside) throws IOException, InterruptedException {
    var command = new java.util.ArrayList<>(inside);
    command.add("true");
    try {
      var process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      process.getInputStream().readAllBytes();
      return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false; // there is no such program
    }
  }
}
