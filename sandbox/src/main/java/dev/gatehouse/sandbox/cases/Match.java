package dev.gatehouse.sandbox.cases;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a text, or the values of a header, must be: written as a text (exactly it), a list (exactly these values), null (nothing
 * of that name), or a map of the parts below, all of which must hold.
 *
 * @param values exactly these; null says nothing
 * @param contains each must be part of it
 * @param lacks none may be part of it
 * @param matches each expression must be found in it
 * @param json it must be this JSON
 * @param at JSON Pointers and what they must lead to; null: they must lead nowhere
 */
@JsonDeserialize(using = Match.Reader.class)
record Match(
    @Nullable List<String> values,
    List<String> contains,
    List<String> lacks,
    List<String> matches,
    @Nullable JsonNode json,
    Map<String, JsonNode> at) {

  /** What is wrong with the values of a header; none when it is not there. */
  List<String> wrong(String what, List<String> got) {
    if (values != null) {
      return values.equals(got)
          ? List.of()
          : List.of(what + ": expected " + shown(values) + ", got " + shown(got));
    }
    if (got.isEmpty()) {
      return List.of(what + ": expected " + parts() + ", got none");
    }
    return got.stream().flatMap(value -> partly(what, value).stream()).toList();
  }

  /** What is wrong with a text. */
  List<String> wrongText(String what, String got) {
    if (values != null) {
      var expected = String.join("", values);
      return expected.equals(got)
          ? List.of()
          : List.of(what + ": expected " + quoted(expected) + ", got " + quoted(got));
    }
    return partly(what, got);
  }

  private List<String> partly(String what, String got) {
    var wrong = new ArrayList<String>();
    for (var part : contains) {
      if (!got.contains(part)) {
        wrong.add(what + ": expected to contain " + quoted(part) + ", got " + quoted(got));
      }
    }
    for (var part : lacks) {
      if (got.contains(part)) {
        wrong.add(what + ": expected not to contain " + quoted(part) + ", got " + quoted(got));
      }
    }
    for (var regex : matches) {
      if (!Pattern.compile(regex, Pattern.DOTALL).matcher(got).find()) {
        wrong.add(what + ": expected to match " + quoted(regex) + ", got " + quoted(got));
      }
    }
    if (json != null || !at.isEmpty()) {
      wrong.addAll(wrongJson(what, got));
    }
    return wrong;
  }

  private List<String> wrongJson(String what, String got) {
    JsonNode tree;
    try {
      tree = JsonMapper.shared().readTree(got);
    } catch (JacksonException e) {
      return List.of(what + ": expected JSON, got " + quoted(got));
    }
    var wrong = new ArrayList<String>();
    if (json != null && !json.equals(tree)) {
      wrong.add(what + ": expected the JSON " + json + ", got " + tree);
    }
    at.forEach((pointer, expected) -> {
      var found = tree.at(pointer);
      if (expected.isNull() ? !found.isMissingNode() : !expected.equals(found)) {
        wrong.add(what
            + pointer
            + ": expected "
            + (expected.isNull() ? "nothing" : expected)
            + ", got "
            + (found.isMissingNode() ? "nothing in " + quoted(got) : found));
      }
    });
    return wrong;
  }

  private String parts() {
    var parts = new ArrayList<String>();
    contains.forEach(part -> parts.add("one that contains " + quoted(part)));
    matches.forEach(regex -> parts.add("one that matches " + quoted(regex)));
    return parts.isEmpty() ? "any" : String.join(" and ", parts);
  }

  private static String shown(List<String> values) {
    return values.isEmpty()
        ? "none"
        : String.join(", ", values.stream().map(Match::quoted).toList());
  }

  private static String quoted(String text) {
    return "\"" + (text.length() <= 500 ? text : text.substring(0, 500) + "…") + "\"";
  }

  /** The map form. */
  record Parts(
      @Nullable List<String> contains,
      @Nullable List<String> lacks,
      @Nullable List<String> matches,
      @Nullable JsonNode json,
      @Nullable Map<String, JsonNode> at) {}

  static final class Reader extends ValueDeserializer<Match> {
    @Override
    public Match deserialize(JsonParser parser, DeserializationContext context) {
      if (parser.currentToken() == JsonToken.START_OBJECT) {
        var parts = context.readValue(parser, Parts.class);
        return new Match(
            null,
            orEmpty(parts.contains),
            orEmpty(parts.lacks),
            orEmpty(parts.matches),
            parts.json,
            parts.at == null ? Map.of() : parts.at);
      }
      if (parser.currentToken() == JsonToken.START_ARRAY) {
        var values = new ArrayList<String>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          values.add(parser.getString());
        }
        return exactly(List.copyOf(values));
      }
      return exactly(List.of(parser.getString()));
    }

    @Override
    public Match getNullValue(DeserializationContext context) {
      return exactly(List.of());
    }

    @Override
    public @Nullable Object getAbsentValue(DeserializationContext context) {
      return null;
    }

    private static Match exactly(List<String> values) {
      return new Match(values, List.of(), List.of(), List.of(), null, Map.of());
    }

    private static List<String> orEmpty(@Nullable List<String> list) {
      return list == null ? List.of() : list;
    }
  }
}
