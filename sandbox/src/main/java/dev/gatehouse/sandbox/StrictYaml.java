package dev.gatehouse.sandbox;

import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Reads small YAML files of ours into records. Strictly: an unknown key or a second one of a name is an error with its place. */
public final class StrictYaml {
  private static final YAMLMapper YAML = YAMLMapper.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
      .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
      .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
      .build();

  private StrictYaml() {}

  /**
   * @param file as messages name it
   * @return null for an empty text
   * @throws IllegalArgumentException naming file, line and column, and the keys there are
   */
  public static <T> @Nullable T read(String file, String yaml, Class<T> type) {
    try {
      return YAML.readValue(yaml, type);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(explain(file, yaml, e), e);
    }
  }

  private static String explain(String file, String yaml, JacksonException e) {
    var given = e.getLocation();
    var at = given != null && given.getLineNr() > 0 ? given : place(yaml, e);
    var where = file + (at == null ? ": " : ":" + at.getLineNr() + ":" + at.getColumnNr() + ": ");
    if (e instanceof UnrecognizedPropertyException unknown) {
      var known = unknown.getKnownPropertyIds() == null
          ? ""
          : unknown.getKnownPropertyIds().stream()
              .map(String::valueOf)
              .sorted()
              .collect(Collectors.joining(", "));
      return where + "unknown key \"" + unknown.getPropertyName() + "\" (there are: " + known + ")";
    }
    return where + e.getOriginalMessage();
  }

  /** Binding to records loses the place; the path to it is left, and is walked again. */
  private static @Nullable TokenStreamLocation place(String yaml, JacksonException e) {
    var path = new StringBuilder();
    for (var step : e.getPath()) {
      path.append('/')
          .append(step.getPropertyName() == null ? step.getIndex() : step.getPropertyName());
    }
    try (var parser = YAML.createParser(yaml)) {
      while (parser.nextToken() != null) {
        if (parser.streamReadContext().pathAsPointer().toString().contentEquals(path)) {
          return parser.currentTokenLocation();
        }
      }
    }
    return null;
  }
}
