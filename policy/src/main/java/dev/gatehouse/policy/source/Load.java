package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import java.nio.file.Path;
import java.util.List;

/** Policies as they were read once, with everything that is wrong with them. */
public record Load(PolicySet policies, Problems problems) {
  /** Reads every {@code .yaml} and {@code .yml} file below the folders. */
  public static Load folders(List<Path> folders) {
    return folders(folders, Front.ENVOY);
  }

  /** As it is to be read behind a gateway. */
  public static Load folders(List<Path> folders, Front front) {
    return of(SourceFiles.read(folders, Selection.POLICIES).files(), front);
  }

  /** Reads one text, for tests; {@code file} is its name in problems. */
  public static Load text(String file, String yaml) {
    return of(List.of(new SourceFile.Text(file, yaml)), Front.ENVOY);
  }

  private static Load of(List<SourceFile> files, Front front) {
    var reading = Reading.of(files, front);
    return new Load(reading.attach(), reading.problems());
  }
}
