package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Map;

/** A parsed YAML value that knows where it stands. Aliases share nodes, so {@link #size} counts what a walk would meet. */
sealed interface YamlNode {
  Origin origin();

  /** The number of nodes in it, itself included, aliases followed. */
  int size();

  /** @param kind what YAML 1.2's core schema takes an unquoted text for; a quoted one is a {@code STRING} */
  record Scalar(Origin origin, String text, Kind kind) implements YamlNode {
    @Override
    public int size() {
      return 1;
    }
  }

  enum Kind {
    STRING,
    NUMBER,
    BOOLEAN,
    NULL
  }

  /** In the order of the file. */
  record Mapping(Origin origin, Map<String, Entry> entries, int size) implements YamlNode {}

  /** @param key where the key stands: what is wrong with a field is reported there */
  record Entry(Origin key, YamlNode value) {}

  record Sequence(Origin origin, List<YamlNode> items, int size) implements YamlNode {}

  /** What a user calls it. */
  default String called() {
    return switch (this) {
      case Mapping mapping -> "a mapping";
      case Sequence sequence -> "a list";
      case Scalar(var at, var text, var kind) ->
        switch (kind) {
          case STRING -> "a text";
          case NUMBER -> "a number";
          case BOOLEAN -> "a boolean";
          case NULL -> "empty";
        };
    };
  }
}
