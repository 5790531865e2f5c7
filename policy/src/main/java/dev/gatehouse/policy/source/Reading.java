package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.ResourceReader;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The resources of some files, and what could not be read. */
record Reading(List<Resource> resources, List<String> unreadable, Problems problems) {
  private static final Logger LOG = LoggerFactory.getLogger(Reading.class);

  static Reading of(List<SourceFile> files, Front front) {
    var problems = new Problems();
    var reader = new ResourceReader(problems, front.enforces());
    for (var file : files) {
      switch (file) {
        case SourceFile.Text(var name, var text) -> read(reader, name, text);
        case SourceFile.Unreadable(var name, var why) -> reader.unreadable(name, why);
      }
    }
    return new Reading(reader.resources(), reader.unreadable(), problems);
  }

  /** A fault of ours in one file must neither end a service nor leave open what the file guards. */
  private static void read(ResourceReader reader, String name, String text) {
    try {
      reader.read(name, text);
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("Reading {} failed", name, e);
      reader.unreadable(
          name,
          "cannot be read (" + e.getClass().getSimpleName()
              + ", a fault of Gatehouse; the log has more)");
    }
  }

  /** What is attached to what; where that fails, nothing is known, so that every service refuses. */
  PolicySet attach() {
    try {
      return PolicySet.attach(resources, unreadable, problems);
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("Attaching the policies failed", e);
      problems.error(
          Origin.NONE,
          "",
          "the policies could not be attached (" + e.getClass().getSimpleName()
              + ", a fault of Gatehouse; the log has more)");
      return PolicySet.attach(List.of(), List.of("policies"), new Problems());
    }
  }

  /** The same routes with every policy refused, for a service that could make no plan of the policies. */
  PolicySet attachRefused(String why) {
    var hidden = new ArrayList<>(unreadable);
    hidden.add(why);
    return PolicySet.attach(resources, hidden, new Problems());
  }
}
