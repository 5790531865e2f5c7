package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdit.Merge;
import dev.gatehouse.extproc.json.JsonTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Takes a policy's merge patch apart: objects are gone into, all other values are put in as they stand, with templates in their strings. */
final class MergePatch {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final String text;
  private final Function<String, JsonStep.@Nullable Value> compile;
  private final List<JsonStep.Value> rendered = new ArrayList<>();

  private MergePatch(String text, Function<String, JsonStep.@Nullable Value> compile) {
    this.text = text;
    this.compile = compile;
  }

  /**
   * The edit.
   *
   * @param text a JSON object
   * @param compile makes a value of a JSON text; null for one with a problem, which it has said
   */
  static JsonStep.Op compile(String text, Function<String, JsonStep.@Nullable Value> compile) {
    var patch = new MergePatch(text, compile);
    try (var parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      parser.nextToken();
      var members = patch.object(parser);
      IntFunction<JsonEdit> edit = first -> new Merge(at(members, first));
      return patch.rendered.isEmpty()
          ? JsonStep.Op.ready(edit.apply(0))
          : new JsonStep.Op(edit, List.copyOf(patch.rendered));
    }
  }

  /** What each member becomes, by the number of the patch's first value. */
  private Map<String, IntFunction<Merge.Change>> object(JsonParser parser) {
    var members = new LinkedHashMap<String, IntFunction<Merge.Change>>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      var name = parser.currentName();
      members.put(name, change(parser, parser.nextToken()));
    }
    return members;
  }

  private IntFunction<Merge.Change> change(JsonParser parser, JsonToken token) {
    return switch (token) {
      case VALUE_NULL -> first -> new Merge.Removal();
      case START_OBJECT -> {
        var inner = object(parser);
        yield first -> new Merge.Into(at(inner, first));
      }
      case START_ARRAY -> {
        var from = (int) parser.currentTokenLocation().getCharOffset();
        parser.skipChildren();
        yield value(text.substring(from, (int) parser.currentLocation().getCharOffset()));
      }
      case VALUE_STRING -> value(JsonTemplate.quote(parser.getString()));
      default -> value(parser.getString());
    };
  }

  private IntFunction<Merge.Change> value(String json) {
    var value = compile.apply(json);
    if (value == null || !value.isTemplate()) {
      return first -> Merge.value(json);
    }
    var index = rendered.size();
    rendered.add(value);
    return first -> Merge.given(first + index);
  }

  private static Map<String, Merge.Change> at(
      Map<String, IntFunction<Merge.Change>> members, int first) {
    var made = new LinkedHashMap<String, Merge.Change>();
    members.forEach((name, change) -> made.put(name, change.apply(first)));
    return made;
  }
}
