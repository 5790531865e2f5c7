package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.YamlNode.Entry;
import java.util.Map;

/** A policy's {@code spec} as it stands in its file, kept for {@link Merging}. Says nothing of itself in a log. */
public final class RawSpec {
  /** Of a policy that no file holds. */
  public static final RawSpec NONE = new RawSpec(Origin.NONE, Map.of());

  private final Origin origin;
  private final Map<String, Entry> fields;

  RawSpec(Origin origin, Map<String, Entry> fields) {
    this.origin = origin;
    this.fields = fields;
  }

  Origin origin() {
    return origin;
  }

  /** Where a field's key stands; the whole spec's place where it has none. */
  Origin at(String field) {
    var entry = fields.get(field);
    return entry == null ? origin : entry.key();
  }

  Map<String, Entry> fields() {
    return fields;
  }

  @Override
  public String toString() {
    return "spec at " + origin;
  }
}
