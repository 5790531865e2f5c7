package dev.gatehouse.extproc.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.gatehouse.extproc.json.JsonEdit.Merge.Change;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Splicing against the plain way: read into a tree, change the tree. */
class JsonEditsPropertyTest {
  private static final List<JsonEdit> NOWHERE = List.of(JsonEditsTest.mask("/nowhere", 0));

  static final JsonMapper MAPPER = JsonMapper.builder()
      .enable(tools.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
      .enable(tools.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .build();

  @Test
  void a_spliced_text_says_what_the_changed_tree_says() throws Exception {
    var random = new Random(20261122);
    var same = 0;
    var refusedInPieces = 0;
    for (var run = 0; run < 12_000; run++) {
      var json = new JsonTexts(random).value(0);
      var edits = edits(random);
      JsonNode expected = MAPPER.readTree(json);
      String spliced;
      try {
        for (var edit : edits) {
          expected = change(expected, edit);
        }
      } catch (IllegalStateException noWay) {
        expected = null;
      }
      try {
        spliced = JsonEditsTest.apply(json, edits.toArray(JsonEdit[]::new));
      } catch (UnprocessableBody e) {
        assertThat(expected).as("%s by %s: %s", json, edits, e.getMessage()).isNull();
        refusedInPieces += inPieces(json, edits, random) == null ? 1 : 0;
        continue;
      }
      assertThat(MAPPER.readTree(spliced)).as("%s by %s", json, edits).isEqualTo(expected);
      if (JsonEdits.of(edits).needsWholeBody().isEmpty()) {
        var pieces = inPieces(json, edits, random);
        if (pieces == null) {
          assertThat(edits).as(json).anyMatch(JsonEdit.Rename.class::isInstance);
          refusedInPieces++;
        } else {
          assertThat(pieces).as("%s by %s", json, edits).isEqualTo(spliced);
          same++;
        }
      }
    }
    assertThat(same).isGreaterThan(5_000);
    assertThat(refusedInPieces).isGreaterThan(50);
  }

  /** @return null if it was refused */
  private static @Nullable String inPieces(String json, List<JsonEdit> edits, Random random) {
    var compiled = JsonEdits.of(edits);
    if (compiled.needsWholeBody().isPresent()) {
      return null;
    }
    var bytes = json.getBytes(StandardCharsets.UTF_8);
    var out = new ByteArrayOutputStream();
    var splicer = compiled.splicer((piece, from, to) -> out.write(piece, from, to - from));
    var most = 1 + random.nextInt(9);
    try {
      for (var at = 0; at < bytes.length; ) {
        // Each piece is a buffer of its own, overwritten after: nothing may be kept of it.
        var size = Math.min(1 + random.nextInt(most), bytes.length - at);
        var piece = new byte[size + 2];
        System.arraycopy(bytes, at, piece, 1, size);
        splicer.feed(piece, 1, 1 + size);
        Arrays.fill(piece, (byte) '!');
        at += size;
      }
      splicer.finish();
    } catch (UnprocessableBody e) {
      return null;
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void a_damaged_text_is_refused_exactly_where_jackson_refuses_it() throws Exception {
    var random = new Random(7);
    var edits = JsonEdits.of(NOWHERE);
    var refused = 0;
    for (var run = 0; run < 20_000; run++) {
      var bytes = new JsonTexts(random).value(0).getBytes(StandardCharsets.UTF_8);
      for (var i = random.nextInt(3); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] =
            (byte) "{}[]\",:0123e.-\\ntx ".charAt(random.nextInt(19));
      }
      var text = new String(bytes, StandardCharsets.UTF_8);
      if (!java.util.Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
        continue; // Jackson lets some broken UTF-8 through; this reader does not.
      }
      var jackson = jacksonReads(bytes);
      var ours = true;
      try {
        edits.apply(bytes);
      } catch (UnprocessableBody e) {
        ours = false;
        refused++;
      }
      assertThat(inPieces(text, NOWHERE, random)).as(text).isEqualTo(ours ? text : null);
      if (ours != jackson) {
        fail("%s: Jackson %s, ours %s", text, jackson, ours);
      }
    }
    assertThat(refused).isBetween(1_000, 19_000);
  }

  private static boolean jacksonReads(byte[] bytes) {
    try {
      return !MAPPER.readTree(bytes).isMissingNode();
    } catch (JacksonException e) {
      return false;
    }
  }

  /** An element that goes comes last: edits after it, in the same walk, count as if it were there. */
  private static List<JsonEdit> edits(Random random) {
    var edits = new ArrayList<JsonEdit>();
    JsonEdit goes = null;
    for (var i = random.nextInt(4); i >= 0; i--) {
      var edit = edit(random, path(random));
      if (losesTwice(edit)) {
        continue;
      }
      if (edit instanceof JsonEdit.Remove remove
          && remove.at().tokens().getLast().isElement()) {
        goes = edit;
      } else {
        edits.add(edit);
      }
    }
    if (goes != null) {
      edits.add(goes);
    }
    return edits;
  }

  /** The tree would lose one element for each way that leads to its array. */
  private static boolean losesTwice(JsonEdit edit) {
    return edit instanceof JsonEdit.Remove(var at)
        && at.tokens().getLast().isElement()
        && at.tokens().stream().filter(JsonPath.Token::isDescent).count() > 1;
  }

  private static String path(Random random) {
    var path = new StringBuilder();
    if (random.nextInt(6) == 0) {
      path.append("/**");
    }
    for (var depth = random.nextInt(3); depth >= 0; depth--) {
      path.append('/').append(random.nextInt(4) == 0 ? "*" : name(random));
      if (depth > 0 && random.nextInt(12) == 0) {
        path.append("/**");
      }
    }
    return path.toString();
  }

  private static String name(Random random) {
    return JsonTexts.NAMES[random.nextInt(JsonTexts.NAMES.length)];
  }

  private static JsonEdit edit(Random random, String at) {
    var path = JsonPath.parse(at);
    var value = random.nextBoolean() ? "{\"new\":[1]}" : "\"x\"";
    return switch (random.nextInt(7)) {
      case 0 -> JsonEditsTest.mask(at, random.nextInt(3));
      case 5 -> new JsonEdit.Merge(patch(random, 0));
      case 1 -> JsonEditsTest.remove(at);
      case 2 ->
        path.endsInName() ? JsonEditsTest.rename(at, name(random)) : JsonEditsTest.mask(at, 0);
      case 3 ->
        path.endsInName() && !path.descends()
            ? new JsonEdit.Default(path, value)
            : JsonEditsTest.mask(at, 0);
      case 4 -> {
        try {
          yield new JsonEdit.Move(path, JsonPath.parse(path(random)));
        } catch (IllegalArgumentException unclear) {
          yield JsonEditsTest.mask(at, 0);
        }
      }
      default -> JsonEditsTest.set(at, value);
    };
  }

  private static Map<String, Change> patch(Random random, int depth) {
    var members = new LinkedHashMap<String, Change>();
    for (var i = random.nextInt(4); i > 0; i--) {
      members.put(
          name(random),
          switch (random.nextInt(depth > 2 ? 3 : 5)) {
            case 0 -> new JsonEdit.Merge.Removal();
            case 1 -> JsonEdit.Merge.value("[{\"a\":null}]");
            case 2 -> JsonEdit.Merge.value("1.50");
            default -> new JsonEdit.Merge.Into(patch(random, depth + 1));
          });
    }
    return members;
  }

  /** RFC 7396 section 2, word by word. */
  private static ObjectNode merged(@Nullable JsonNode target, Map<String, Change> patch) {
    var result =
        target instanceof ObjectNode object ? object.deepCopy() : MAPPER.createObjectNode();
    patch.forEach((name, change) -> {
      switch (change) {
        case JsonEdit.Merge.Removal removal -> result.remove(name);
        case JsonEdit.Merge.Into(var inner) -> result.set(name, merged(result.get(name), inner));
        case JsonEdit.Merge.Value value ->
          result.set(name, MAPPER.readTree(value.value().toString()));
      }
    });
    return result;
  }

  /** @throws IllegalStateException where a set has no way */
  private static JsonNode change(JsonNode node, JsonEdit edit) {
    if (edit instanceof JsonEdit.Merge(var members)) {
      return merged(node, members);
    }
    if (edit instanceof JsonEdit.Move move) {
      return moved(node, move, 0);
    }
    return change(node, edit, 0);
  }

  private static JsonNode moved(JsonNode node, JsonEdit.Move move, int depth) {
    if (depth < move.common()) {
      return withChildren(node, move.at().token(depth), child -> moved(child, move, depth + 1));
    }
    if (!node.isContainer()) {
      return node;
    }
    var found = node;
    for (var token : move.at().tokens().subList(depth, move.at().length())) {
      var next = found instanceof ArrayNode ? found.get(token.index()) : found.get(token.name());
      if (next == null) {
        return node;
      }
      found = next;
    }
    if (move.at().equals(move.to())) {
      return node;
    }
    var without = change(node, new JsonEdit.Remove(move.at()), depth);
    return change(without, new JsonEdit.Set(move.to(), found.toString()), depth);
  }

  private static JsonNode withChildren(
      JsonNode node, JsonPath.Token token, UnaryOperator<JsonNode> change) {
    if (node instanceof ObjectNode object) {
      var changed = MAPPER.createObjectNode();
      object.forEachEntry((key, value) -> changed.set(
          key, token.name() == null || token.name().equals(key) ? change.apply(value) : value));
      return changed;
    }
    if (node instanceof ArrayNode array) {
      var changed = MAPPER.createArrayNode();
      for (var i = 0; i < array.size(); i++) {
        changed.add(
            token.name() == null || token.index() == i ? change.apply(array.get(i)) : array.get(i));
      }
      return changed;
    }
    return node;
  }

  /** @throws IllegalStateException where a set has no way */
  private static JsonNode change(JsonNode node, JsonEdit edit, int depth) {
    if (edit.at().length() == depth) {
      return switch (edit) {
        case JsonEdit.Mask mask -> masked(node, mask.keepLast());
        case JsonEdit.Set set -> MAPPER.readTree(set.value().toString());
        case JsonEdit.Default ready -> node;
        case JsonEdit.Remove remove -> throw new AssertionError();
        case JsonEdit.Rename rename -> throw new AssertionError();
        case JsonEdit.Move move -> throw new AssertionError();
        case JsonEdit.Merge merge -> throw new AssertionError();
      };
    }
    var token = edit.at().token(depth);
    if (token.isDescent()) {
      var below = withChildren(node, token, child -> change(child, edit, depth));
      return change(below, edit, depth + 1);
    }
    var last = edit.at().length() == depth + 1;
    if (node instanceof ObjectNode object) {
      return changeMembers(object, edit, token, depth, last);
    }
    if (node instanceof ArrayNode array) {
      return changeElements(array, edit, token, depth, last);
    }
    if (edit instanceof JsonEdit.Set && !edit.at().descends()) {
      throw new IllegalStateException();
    }
    return node;
  }

  private static JsonNode changeMembers(
      ObjectNode object, JsonEdit edit, JsonPath.Token token, int depth, boolean last) {
    var name = token.name();
    if (edit instanceof JsonEdit.Rename rename && last) {
      var changed = MAPPER.createObjectNode();
      var there = object.has(String.valueOf(name)) && !rename.to().equals(name);
      object.forEachEntry((key, value) -> {
        if (!there || !key.equals(rename.to())) {
          changed.set(there && key.equals(name) ? rename.to() : key, value);
        }
      });
      return changed;
    }
    var changed = MAPPER.createObjectNode();
    object.forEachEntry((key, value) -> {
      if (name != null && !name.equals(key)) {
        changed.set(key, value);
      } else if (!(last && edit instanceof JsonEdit.Remove)) {
        changed.set(key, change(value, edit, depth + 1));
      }
    });
    if (addsTo(edit) && name != null && !object.has(name)) {
      var fresh = fresh(edit, depth + 1);
      if (fresh != null) {
        changed.set(name, fresh);
      }
    }
    return changed;
  }

  private static JsonNode changeElements(
      ArrayNode array, JsonEdit edit, JsonPath.Token token, int depth, boolean last) {
    var changed = MAPPER.createArrayNode();
    for (var i = 0; i < array.size(); i++) {
      var here = token.isAny() || token.index() == i;
      if (!here || (edit instanceof JsonEdit.Rename && last)) {
        changed.add(array.get(i));
      } else if (!(last && edit instanceof JsonEdit.Remove)) {
        changed.add(change(array.get(i), edit, depth + 1));
      }
    }
    if (addsTo(edit) && !token.isAny() && (token.index() < 0 || token.index() >= array.size())) {
      var fresh = fresh(edit, depth + 1);
      var next = token.index() == array.size();
      if (fresh != null && !next && edit instanceof JsonEdit.Set) {
        throw new IllegalStateException();
      }
      if (fresh != null && next) {
        changed.add(fresh);
      }
    }
    return changed;
  }

  private static boolean addsTo(JsonEdit edit) {
    return (edit instanceof JsonEdit.Set && !edit.at().descends())
        || edit instanceof JsonEdit.Default;
  }

  private static @Nullable JsonNode fresh(JsonEdit edit, int from) {
    var value = MAPPER.readTree(
        edit instanceof JsonEdit.Set set
            ? set.value().toString()
            : ((JsonEdit.Default) edit).value().toString());
    for (var i = edit.at().length() - 1; i >= from; i--) {
      var name = edit.at().token(i).name();
      if (name == null) {
        return null;
      }
      var around = MAPPER.createObjectNode();
      around.set(name, value);
      value = around;
    }
    return value;
  }

  static JsonNode masked(JsonNode node, int keepLast) {
    if (node instanceof ObjectNode object) {
      var changed = MAPPER.createObjectNode();
      object.forEachEntry((key, value) -> changed.set(key, masked(value, keepLast)));
      return changed;
    }
    if (node instanceof ArrayNode array) {
      var changed = MAPPER.createArrayNode();
      array.forEach(value -> changed.add(masked(value, keepLast)));
      return changed;
    }
    if (node.isNull()) {
      return node;
    }
    if (node.isBoolean()) {
      return MAPPER.getNodeFactory().stringNode("****");
    }
    var text = node.isString() ? node.stringValue() : node.toString();
    var points = text.codePoints().toArray();
    var out = new StringBuilder();
    for (var i = 0; i < points.length; i++) {
      out.appendCodePoint(
          points.length > keepLast && i >= points.length - keepLast ? points[i] : '*');
    }
    return MAPPER.getNodeFactory().stringNode(out.toString());
  }
}
