package dev.gatehouse.ratelimit.config.yaml;

import java.nio.file.Path;
import java.util.List;

/**
 * Where the configuration lies when it comes from files, with the environment variables of envoyproxy/ratelimit that say so.
 *
 * @param root {@code RUNTIME_ROOT}; mostly a link that is pointed to another release at once
 * @param subdirectory {@code RUNTIME_SUBDIRECTORY}; may be empty
 * @param appDirectory {@code RUNTIME_APPDIRECTORY}
 * @param ignoreDotFiles whether names that begin with a dot are passed over ({@code RUNTIME_IGNOREDOTFILES})
 */
public record RuntimeFolderSettings(
    Path root, String subdirectory, String appDirectory, boolean ignoreDotFiles) {
  /** As envoyproxy/ratelimit where nothing is set. */
  public static final RuntimeFolderSettings DEFAULT =
      new RuntimeFolderSettings(Path.of("/srv/runtime_data/current"), "", "config", false);

  /** Every file in it and below is configuration, whatever its name ends in. */
  public Path folder() {
    return root.resolve(relative(subdirectory)).resolve(relative(appDirectory));
  }

  /** Go's {@code filepath.Join} takes what begins with a slash as relative too. */
  private static String relative(String path) {
    return path.replaceFirst("^/+", "");
  }

  /** Folders in which a link on the way to the files may be swapped. */
  List<Path> above() {
    var parent = root.toAbsolutePath().getParent();
    return parent == null ? List.of() : List.of(parent);
  }
}
