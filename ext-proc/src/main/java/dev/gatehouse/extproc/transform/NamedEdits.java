package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The six operations of a step on headers, query parameters or fields of a form, compiled. They happen in the order in which they
 * stand here.
 */
final class NamedEdits {
  static final NamedEdits NONE =
      new NamedEdits(Set.of(), Map.of(), Map.of(), Map.of(), Map.of(), Map.of());

  private final Set<String> remove;
  private final Map<String, String> rename;
  private final Map<String, List<Text>> replace;
  private final Map<String, List<Text>> set;
  private final Map<String, List<Text>> addIfAbsent;
  private final Map<String, List<Text>> add;

  /** The values, where they are the same for every message. */
  private final @Nullable Ready constant;

  NamedEdits(
      Set<String> remove,
      Map<String, String> rename,
      Map<String, List<Text>> replace,
      Map<String, List<Text>> set,
      Map<String, List<Text>> addIfAbsent,
      Map<String, List<Text>> add) {
    this.remove = remove;
    this.rename = rename;
    this.replace = replace;
    this.set = set;
    this.addIfAbsent = addIfAbsent;
    this.add = add;
    this.constant = texts().stream().allMatch(Text::isConstant) ? constant() : null;
  }

  /** What is edited: several values of one name stay apart. */
  interface Target {
    boolean has(String name);

    /** All that bear the name. */
    void remove(String name);

    /** All that bear it get the other name, in place of those that bore it; nothing happens where there are none. */
    void rename(String from, String to);

    /** In place of all that bear the name. */
    void set(String name, List<ByteString> values);

    void add(String name, List<ByteString> values);
  }

  /** With the values for one message. */
  record Ready(
      Set<String> remove,
      Map<String, String> rename,
      Map<String, List<ByteString>> replace,
      Map<String, List<ByteString>> set,
      Map<String, List<ByteString>> addIfAbsent,
      Map<String, List<ByteString>> add) {
    void applyTo(Target target) {
      remove.forEach(target::remove);
      rename.forEach(target::rename);
      replace.forEach((name, values) -> {
        if (target.has(name)) {
          target.set(name, values);
        }
      });
      set.forEach(target::set);
      addIfAbsent.forEach((name, values) -> {
        if (!target.has(name)) {
          target.add(name, values);
        }
      });
      add.forEach(target::add);
    }
  }

  Ready ready(RequestFacts facts) throws EvaluationException {
    return constant != null
        ? constant
        : new Ready(
            remove,
            rename,
            render(replace, facts),
            render(set, facts),
            render(addIfAbsent, facts),
            render(add, facts));
  }

  /** The operations, where what they do depends on nothing: neither on a value of the message nor on whether there is one. */
  @Nullable
  Ready fixed() {
    return rename.isEmpty() && replace.isEmpty() && addIfAbsent.isEmpty() ? constant : null;
  }

  /**
   * For people, names without values.
   *
   * @param mark before each name: none for headers, {@code ?} for the query
   */
  List<String> describe(String mark) {
    var all = new ArrayList<String>();
    remove.forEach(name -> all.add("-" + mark + name));
    rename.forEach((from, to) -> all.add(mark + from + "→" + mark + to));
    replace.keySet().forEach(name -> all.add(mark + name + "~"));
    set.keySet().forEach(name -> all.add(mark + name + "="));
    addIfAbsent.keySet().forEach(name -> all.add("?+" + mark + name));
    add.keySet().forEach(name -> all.add("+" + mark + name));
    return all;
  }

  private List<Text> texts() {
    var texts = new ArrayList<Text>();
    for (var named : List.of(replace, set, addIfAbsent, add)) {
      named.values().forEach(texts::addAll);
    }
    return texts;
  }

  private Ready constant() {
    return new Ready(
        remove, rename, constant(replace), constant(set), constant(addIfAbsent), constant(add));
  }

  private static Map<String, List<ByteString>> constant(Map<String, List<Text>> named) {
    var values = new LinkedHashMap<String, List<ByteString>>();
    named.forEach((name, texts) -> values.put(
        name, texts.stream().map(text -> ((Text.Constant) text).bytes()).toList()));
    return values;
  }

  private static Map<String, List<ByteString>> render(
      Map<String, List<Text>> named, RequestFacts facts) throws EvaluationException {
    if (named.isEmpty()) {
      return Map.of();
    }
    var values = new LinkedHashMap<String, List<ByteString>>();
    for (var entry : named.entrySet()) {
      values.put(entry.getKey(), Text.render(entry.getValue(), facts));
    }
    return values;
  }
}
