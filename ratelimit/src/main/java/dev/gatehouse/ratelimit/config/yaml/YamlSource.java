package dev.gatehouse.ratelimit.config.yaml;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Selection;
import dev.gatehouse.policy.source.SourceFile;
import dev.gatehouse.policy.source.WatchedFiles;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.config.Sources;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The configuration as files in a folder ({@code CONFIG_TYPE=FILE}), all of them read anew when one changes. */
public final class YamlSource implements AutoCloseable {
  private final WatchedFiles files;

  private YamlSource(WatchedFiles files) {
    this.files = files;
  }

  /** Reads the files, puts them in force if they are sound, and begins to watch. */
  public static YamlSource start(RuntimeFolderSettings settings, Sources sources) {
    sources.expectConfig();
    var files = new WatchedFiles(
        List.of(settings.folder()), selection(settings.ignoreDotFiles()), settings.above());
    offer(files.files(), sources);
    files.start("gatehouse-runtime-folder", changed -> offer(changed, sources));
    return new YamlSource(files);
  }

  private static void offer(List<SourceFile> files, Sources sources) {
    var problems = new Problems();
    sources.offer(read(files, problems), problems);
  }

  /** For people who want to know what is wrong, before they put it where it is served. */
  public static List<DomainConfig> read(Path folder, boolean ignoreDotFiles, Problems problems) {
    try (var files = new WatchedFiles(List.of(folder), selection(ignoreDotFiles), List.of())) {
      return read(files.files(), problems);
    }
  }

  private static List<DomainConfig> read(List<SourceFile> files, Problems problems) {
    var domains = new ArrayList<DomainConfig>();
    for (var file : files) {
      switch (file) {
        case SourceFile.Text(var name, var text) ->
          domains.addAll(YamlReader.read(name, text, problems));
        case SourceFile.Unreadable(var name, var why) ->
          problems.error(new Origin(name, 0, 0), "", why);
      }
    }
    return domains;
  }

  private static Selection selection(boolean ignoreDotFiles) {
    return new Selection(!ignoreDotFiles, false);
  }

  /** Looks for changes now; what the watcher does by itself. */
  void poll() {
    files.poll();
  }

  /** What is in force stays so. */
  @Override
  public void close() {
    files.close();
  }
}
