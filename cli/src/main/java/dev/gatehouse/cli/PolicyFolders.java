package dev.gatehouse.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The folders of policies of a command that reads them once. */
final class PolicyFolders {
  @Option(
      names = "--policies",
      paramLabel = "DIR",
      required = true,
      split = ",",
      description = "Folders of policies. May be given several times.")
  private List<Path> folders = List.of();

  /** @throws Failure if one of them is none */
  List<Path> folders() {
    for (var folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new Failure("--policies " + folder + " is not a folder");
      }
    }
    return folders;
  }
}
