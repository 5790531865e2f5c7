package dev.gatehouse.sandbox;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** One header line, as it is on the wire: lists of them keep order, case and duplicates. */
public record Field(String name, String value) {
  /** All values of a name, in any case, in order. */
  public static List<String> values(List<Field> fields, String name) {
    return fields.stream()
        .filter(f -> f.name.equalsIgnoreCase(name))
        .map(Field::value)
        .toList();
  }

  /** By name in lower case. */
  static SortedMap<String, List<String>> byName(List<Field> fields) {
    var map = new TreeMap<String, List<String>>();
    for (var field : fields) {
      map.computeIfAbsent(field.name.toLowerCase(Locale.ROOT), n -> new ArrayList<>())
          .add(field.value);
    }
    return map;
  }
}
