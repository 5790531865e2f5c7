package dev.gatehouse.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** The folder that Envoy reads its configuration from. */
final class Folder {
  private final Path folder;

  Folder(Path folder) {
    this.folder = folder;
  }

  /**
   * Envoy reads a file some time after it was moved, so a cluster that is gone before the routes to it are would fail requests. Therefore
   * the clusters that the routes of before lead to stay in the file, until the next change; and they come first, listeners last.
   */
  void write(SortedMap<String, String> files) throws IOException {
    Files.createDirectories(folder);
    for (var file : files.entrySet()) {
      if (file.getKey().equals(EnvoyConfig.CLUSTERS)) {
        put(file.getKey(), withClustersInUse(file.getValue()));
      }
    }
    for (var file : files.entrySet()) {
      if (file.getKey().startsWith(EnvoyConfig.ROUTES)) {
        put(file.getKey(), file.getValue());
      }
    }
    for (var file : files.entrySet()) {
      if (!file.getKey().equals(EnvoyConfig.CLUSTERS)) {
        put(file.getKey(), file.getValue());
      }
    }
    removeOthers(files);
  }

  private String withClustersInUse(String clusters) throws IOException {
    var routes = new StringBuilder();
    for (var table : routeTables()) {
      routes.append(Files.readString(table));
    }
    return Tree.united(
        clusters, read(EnvoyConfig.CLUSTERS), name -> routes.indexOf("\"" + name + "\"") >= 0);
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
    for (var table : routeTables()) {
      if (!files.containsKey(table.getFileName().toString())) {
        Files.delete(table);
      }
    }
  }

  private List<Path> routeTables() throws IOException {
    try (var tables = Files.newDirectoryStream(folder, EnvoyConfig.ROUTES + "*.yaml")) {
      var all = new ArrayList<Path>();
      tables.forEach(all::add);
      return all;
    }
  }
}
