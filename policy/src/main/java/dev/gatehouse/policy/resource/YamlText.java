package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Value.Context;
import java.util.ArrayList;
import java.util.List;

/**
 * YAML that holds no resources, such as another program's configuration: read with the same strictness, bounds, places and words
 * as policies are. Merge keys ({@code <<}) are followed, since programs with YAML 1.1 readers do so.
 */
public final class YamlText {
  private YamlText() {}

  /** The documents that are not empty; those before a place where it is not YAML, which is reported. */
  public static List<Value> documents(String file, String text, Problems problems) {
    if (text.length() > YamlDocuments.MAX_CHARS) {
      problems.error(
          new Origin(file, 0, 0),
          "",
          "is larger than " + YamlDocuments.MAX_CHARS + " characters; split it");
      return List.of();
    }
    var context = new Context(problems, false);
    var values = new ArrayList<Value>();
    try (var documents = new YamlDocuments(file, text, problems, true)) {
      for (var node = documents.next(); node != null; node = documents.next()) {
        values.add(new Value(context, node, node.origin(), ""));
      }
    }
    return values;
  }
}
