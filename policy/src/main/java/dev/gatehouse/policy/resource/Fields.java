package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Value.Context;
import dev.gatehouse.policy.resource.YamlNode.Entry;
import dev.gatehouse.policy.resource.YamlNode.Kind;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Scalar;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The fields of an object. Whoever asks for a field makes it known; what nobody asked for is reported at the end with what was
 * perhaps meant, so that nothing is ever ignored in silence.
 */
public final class Fields {
  private final Context context;
  private final Map<String, Entry> entries;
  private final boolean there;
  private final Origin origin;
  private final String path;
  private final Set<String> known = new LinkedHashSet<>();
  private boolean any;

  /** @param mapping null for an object that is not there, which was reported */
  Fields(Context context, @Nullable Mapping mapping, Origin origin, String path) {
    this.context = context;
    this.entries = mapping == null ? Map.of() : mapping.entries();
    this.there = mapping != null;
    this.origin = origin;
    this.path = path;
  }

  public Origin origin() {
    return origin;
  }

  String path() {
    return path;
  }

  /** The fields as they stand in the file. */
  RawSpec raw() {
    return new RawSpec(origin, entries);
  }

  public boolean has(String name) {
    return entries.containsKey(name);
  }

  /** How many of the names have a field. */
  int count(String... names) {
    int count = 0;
    for (var name : names) {
      count += has(name) ? 1 : 0;
    }
    return count;
  }

  public void error(String message) {
    context.problems().error(origin, path, message);
  }

  /** The field; where it is missing that is reported, and the value says nothing more. */
  Value required(String name) {
    known.add(name);
    var entry = entries.get(name);
    if (entry == null && there) {
      error("\"" + name + "\" is missing");
    }
    return entry == null ? new Value(context, null, origin, child(name)) : value(name, entry);
  }

  public <T> T required(String name, Function<Value, T> read) {
    return read.apply(required(name));
  }

  /** The field or null. A field without a value is an error: whoever wrote its name meant something. */
  @Nullable
  Value optional(String name) {
    known.add(name);
    var entry = entries.get(name);
    return entry == null ? null : value(name, entry);
  }

  /** Does something with the field where there is one. */
  void given(String name, Consumer<Value> then) {
    var value = optional(name);
    if (value != null) {
      then.accept(value);
    }
  }

  public <T> @Nullable T optional(String name, Function<Value, T> read) {
    var value = optional(name);
    return value == null ? null : read.apply(value);
  }

  public <T> T optional(String name, Function<Value, T> read, T otherwise) {
    var value = optional(name);
    return value == null ? otherwise : read.apply(value);
  }

  /** The field, where Kubernetes' tools write {@code null} for one that is not set. */
  public <T> T nullable(String name, Function<Value, T> read, T otherwise) {
    known.add(name);
    return isNull(name) ? otherwise : optional(name, read, otherwise);
  }

  /** As {@link #nullable(String, Function, Object)}, with null for a field that is not set. */
  public <T> @Nullable T nullable(String name, Function<Value, ? extends @Nullable T> read) {
    known.add(name);
    var value = isNull(name) ? null : optional(name);
    return value == null ? null : read.apply(value);
  }

  private boolean isNull(String name) {
    return entries.get(name) instanceof Entry(var at, var node)
        && node instanceof Scalar(var where, var text, var kind)
        && kind == Kind.NULL;
  }

  /** The items of a list; none where there is no such field. */
  <T> List<T> list(String name, int max, Function<Value, ? extends @Nullable T> item) {
    return optional(name, value -> value.<T>list(max, item), List.<T>of());
  }

  /** The items of a list that says something: an empty one would mean "any", which is not what somebody who writes a list has in mind. */
  <T> List<T> nonEmptyList(String name, int max, Function<Value, ? extends @Nullable T> item) {
    var value = optional(name);
    if (value == null) {
      return List.of();
    }
    if (value.node() instanceof YamlNode.Sequence list && list.items().isEmpty()) {
      value.error("is empty; remove it, or name what is meant");
    }
    return value.<T>list(max, item);
  }

  boolean flag(String name) {
    return optional(name, Value::bool, false);
  }

  /** Fields that say nothing about what Gatehouse does. */
  void ignored(String... names) {
    known.addAll(List.of(names));
  }

  /** Fields of the kind that Gatehouse does not honour and that matter: each one that is there is an error. */
  void unsupported(String... names) {
    for (var name : names) {
      given(
          name,
          value -> value.error(
              "not supported yet; remove it, or the rest would not mean what you wrote"));
    }
  }

  /** Fields that only our own kind has: each one that is there is an error that says so. */
  void onlyInAuthPolicy(String... names) {
    for (var name : names) {
      given(
          name,
          value -> value.error(
              "is a field of AuthPolicy (gatehouse.dev/v1alpha1), not of SecurityPolicy"));
    }
  }

  /** Fields that another enforces, if anyone: each one that is there is a notice. */
  void notEnforced(String... names) {
    for (var name : names) {
      given(
          name,
          value ->
              value.notice("not enforced by Gatehouse; a gateway that reads this kind itself may"));
    }
  }

  /** Leaves the rest of the fields to others. */
  void others() {
    any = true;
  }

  /** Reports the fields that nobody asked for. */
  void done() {
    if (any) {
      return;
    }
    entries.forEach((name, entry) -> {
      if (!known.contains(name)) {
        context.problems().error(entry.key(), child(name), "unknown field" + meant(name));
      }
    });
  }

  private String meant(String name) {
    var meant = Shown.didYouMean(name, known);
    return meant.isEmpty() && known.contains("spec")
        ? " (is it meant for spec? then indent it below that)"
        : meant;
  }

  private Value value(String name, Entry entry) {
    return new Value(context, entry.value(), entry.key(), child(name));
  }

  private String child(String name) {
    var shown = Shown.of(name);
    return path.isEmpty() ? shown : path + "." + shown;
  }
}
