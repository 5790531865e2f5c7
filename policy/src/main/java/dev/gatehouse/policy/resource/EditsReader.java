package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.TransformPolicy.Edits;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Reads the six operations on headers, query parameters or fields of a form: the same for all of them but for what a name and a value may be. */
enum EditsReader {
  HEADERS {
    @Override
    String name(Value value) {
      return Formats.changeableHeader(value);
    }

    @Override
    String name(Value value, String key) {
      return Formats.changeableHeader(value, key);
    }

    @Override
    String value(Value value) {
      return Formats.headerValue(value);
    }
  },
  /** Of the query, or of a form. Names and values are as they mean, not as they are encoded. */
  PARAMETERS {
    @Override
    String name(Value value) {
      return value.text(256);
    }

    @Override
    String name(Value value, String key) {
      if (key.isEmpty() || key.length() > 256) {
        value.error(value.show(key) + " is no name of a parameter (expected: 1 to 256 characters)");
      }
      return key;
    }

    @Override
    String value(Value value) {
      return value.anyText(Value.MAX_TEXT);
    }
  };

  /** Operations of one kind. */
  private static final int MAX_NAMES = 64;

  /** Of one name. */
  private static final int MAX_VALUES = 16;

  abstract String name(Value value);

  /** A name that is a key of {@code value}. */
  abstract String name(Value value, String key);

  abstract String value(Value value);

  Edits read(Fields fields) {
    if (fields.count("remove", "rename", "replace", "set", "addIfAbsent", "add") == 0) {
      fields.error("changes nothing (expected: remove, rename, replace, set, addIfAbsent or add)");
    }
    return new Edits(
        fields.list("remove", MAX_NAMES, this::name),
        fields.optional("rename", v -> map(v, this::name), Map.of()),
        values(fields, "replace"),
        values(fields, "set"),
        values(fields, "addIfAbsent"),
        values(fields, "add"));
  }

  private Map<String, List<String>> values(Fields fields, String name) {
    return fields.optional(name, this::values, Map.of());
  }

  /** Name → a text or a list of texts. */
  Map<String, List<String>> values(Value value) {
    return map(value, this::oneOrMore);
  }

  private List<String> oneOrMore(Value value) {
    if (!(value.node() instanceof Sequence list)) {
      return List.of(value(value));
    }
    if (list.items().isEmpty()) {
      value.error("is empty; name what is to go under \"remove\"");
    }
    return value.list(MAX_VALUES, this::value);
  }

  private <T> Map<String, T> map(Value value, Function<Value, T> read) {
    var entries = new LinkedHashMap<String, T>();
    value.map(MAX_NAMES, read).forEach((key, entry) -> {
      var name = name(value, key);
      if (entries.put(name, entry) != null) {
        value.error("\"" + Shown.of(name) + "\" stands twice");
      }
    });
    return Collections.unmodifiableMap(entries);
  }
}
