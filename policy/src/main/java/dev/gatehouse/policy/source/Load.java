package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.ResourceReader;
import java.nio.file.Path;
import java.util.List;

/** Policies as they were read once, with everything that is wrong with them. */
public record Load(PolicySet policies, Problems problems) {
  /** Reads every {@code .yaml} and {@code .yml} file below the folders. */
  public static Load folders(List<Path> folders) {
    return of(PolicyFiles.read(folders));
  }

  /** Reads one text, for tests; {@code file} is its name in problems. */
  public static Load text(String file, String yaml) {
    return of(List.of(new PolicyFile.Text(file, yaml)));
  }

  static Load of(List<PolicyFile> files) {
    var problems = new Problems();
    var reader = new ResourceReader(problems);
    for (var file : files) {
      switch (file) {
        case PolicyFile.Text(var name, var text) -> reader.read(name, text);
        case PolicyFile.Unreadable(var name, var why) -> reader.unreadable(name, why);
      }
    }
    return new Load(PolicySet.attach(reader.resources(), reader.unreadable(), problems), problems);
  }
}
