package dev.gatehouse.wire;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/** A configuration as plain maps and lists in the order in which they were built, so that the same policies give the same text. */
public final class Tree {
  private static final YAMLMapper YAML = YAMLMapper.builder()
      .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER, YAMLWriteFeature.SPLIT_LINES)
      .build();

  private Tree() {}

  /** Names and values in turn; a null value leaves its name out. */
  public static Map<String, Object> map(@Nullable Object... namesAndValues) {
    var map = new LinkedHashMap<String, Object>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      var value = namesAndValues[i + 1];
      if (value != null) {
        map.put(String.valueOf(namesAndValues[i]), value);
      }
    }
    return map;
  }

  /** A {@code google.protobuf.Any}: {@code type} is the message's name without {@code envoy.}. */
  static Map<String, Object> any(String type, @Nullable Object... namesAndValues) {
    var map = new LinkedHashMap<String, Object>();
    map.put("@type", "type.googleapis.com/envoy." + type);
    map.putAll(map(namesAndValues));
    return map;
  }

  /** A {@code google.protobuf.Duration} as JSON writes it. */
  static String duration(Duration duration) {
    var seconds = BigDecimal.valueOf(duration.toSeconds())
        .add(BigDecimal.valueOf(duration.toNanosPart(), 9))
        .stripTrailingZeros();
    return seconds.toPlainString() + "s";
  }

  /** Without the type that a message bears where it stands alone. */
  static Map<String, Object> untyped(Map<String, Object> tree) {
    var map = new LinkedHashMap<>(tree);
    map.remove("@type");
    return map;
  }

  /** The resources of a file, and behind them those of another that it has not, by name, if they are still needed. */
  static String united(String yaml, String other, Predicate<String> needed) {
    var resources = new ArrayList<Object>(resources(yaml));
    var names = resources.stream().map(Tree::name).collect(Collectors.toSet());
    resources(other).stream()
        .filter(resource -> !names.contains(name(resource)) && needed.test(name(resource)))
        .forEach(resources::add);
    return yaml(map("resources", resources));
  }

  /** None where the text is no configuration, such as a file that somebody else damaged. */
  private static List<?> resources(String yaml) {
    try {
      return YAML.readTree(yaml).isObject()
              && YAML.readValue(yaml, Map.class).get("resources") instanceof List<?> all
          ? all
          : List.of();
    } catch (JacksonException e) {
      return List.of();
    }
  }

  private static String name(Object resource) {
    return String.valueOf(((Map<?, ?>) resource).get("name"));
  }

  public static String yaml(Map<String, Object> tree) {
    return YAML.writeValueAsString(tree);
  }
}
