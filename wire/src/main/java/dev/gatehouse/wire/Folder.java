package dev.gatehouse.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.SortedMap;

/** The folder that Envoy reads its configuration from. */
final class Folder {
  private final Path folder;

  Folder(Path folder) {
    this.folder = folder;
  }

  void write(SortedMap<String, String> files) throws IOException {
    Files.createDirectories(folder);
    var clusters = files.get(EnvoyConfig.CLUSTERS);
    if (clusters != null) {
      put(EnvoyConfig.CLUSTERS, Tree.united(clusters, read(EnvoyConfig.CLUSTERS)));
    }
    for (var file : files.entrySet()) {
      if (file.getKey().startsWith(EnvoyConfig.ROUTES)) {
        put(file.getKey(), file.getValue());
      }
    }
    for (var file : files.entrySet()) {
      put(file.getKey(), file.getValue());
    }
    removeOthers(files);
  }

  private void put(String name, String content) throws IOException {
    if (content.equals(read(name))) {
      return;
    }
    // A temporary file is readable by its owner alone from the beginning.
    var temporary = Files.createTempFile(folder, "." + name, ".new");
    try {
      Files.writeString(temporary, content);
      Files.move(
          temporary,
          folder.resolve(name),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private String read(String name) throws IOException {
    var file = folder.resolve(name);
    return Files.exists(file) ? Files.readString(file, UTF_8) : "";
  }

  /** Route tables that no listener names any more. */
  private void removeOthers(Map<String, String> files) throws IOException {
    try (var old = Files.newDirectoryStream(folder, EnvoyConfig.ROUTES + "*.yaml")) {
      for (var file : old) {
        if (!files.containsKey(file.getFileName().toString())) {
          Files.delete(file);
        }
      }
    }
  }
}
