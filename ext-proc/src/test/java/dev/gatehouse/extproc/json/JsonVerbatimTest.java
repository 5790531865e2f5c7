package dev.gatehouse.extproc.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Byte for byte: what is masked is where Jackson's parser finds the values, and everything else is as it was. */
class JsonVerbatimTest {
  private record Value(String path, int from, int to) {}

  @Test
  void bytes_outside_the_masked_values_are_the_very_same() throws Exception {
    var random = new Random(20261125);
    var touched = 0;
    for (var run = 0; run < 3_000; run++) {
      var text = new JsonTexts(random).value(0).getBytes(StandardCharsets.UTF_8);
      var masks = masks(random);
      var expected = new ByteArrayOutputStream();
      var from = 0;
      for (var value : scalars(text)) {
        var raw = new String(text, value.from, value.to - value.from, StandardCharsets.UTF_8);
        var masked = raw;
        for (var mask : masks) {
          if (matches(mask.at(), value.path)) {
            masked = masked(masked, mask.keepLast());
          }
        }
        if (!masked.equals(raw)) {
          expected.write(text, from, value.from - from);
          expected.writeBytes(masked.getBytes(StandardCharsets.UTF_8));
          from = value.to;
          touched++;
        }
      }
      expected.write(text, from, text.length - from);
      assertThat(JsonEdits.of(List.copyOf(masks)).apply(text))
          .as("%s by %s", new String(text, StandardCharsets.UTF_8), masks)
          .isEqualTo(expected.toByteArray());
    }
    assertThat(touched).isGreaterThan(500);
  }

  private static List<JsonEdit.Mask> masks(Random random) {
    var masks = new ArrayList<JsonEdit.Mask>();
    for (var i = random.nextInt(3); i >= 0; i--) {
      var path = new StringBuilder(random.nextInt(3) == 0 ? "/**" : "");
      for (var depth = random.nextInt(3); depth >= 0; depth--) {
        var name = JsonTexts.NAMES[random.nextInt(JsonTexts.NAMES.length)];
        path.append('/').append(random.nextInt(4) == 0 ? "*" : name);
      }
      masks.add(new JsonEdit.Mask(JsonPath.parse(path.toString()), random.nextInt(4)));
    }
    return masks;
  }

  /** Whether the value is at this place, or inside. */
  private static boolean matches(JsonPath mask, String path) {
    var pattern = new StringBuilder();
    for (var token : mask.toString().substring(1).split("/")) {
      pattern.append(
          switch (token) {
            case "**" -> "(/[^/]*)*";
            case "*" -> "/[^/]*";
            default -> "/" + Pattern.quote(token);
          });
    }
    return path.matches(pattern + "(/.*)?");
  }

  private static String masked(String raw, int keepLast) {
    var node = JsonEditsPropertyTest.masked(JsonEditsPropertyTest.MAPPER.readTree(raw), keepLast);
    return node.isString() ? JsonTemplate.quote(node.stringValue()) : raw;
  }

  private static List<Value> scalars(byte[] text) {
    var found = new ArrayList<Value>();
    Deque<String> names = new ArrayDeque<>();
    Deque<Integer> sizes = new ArrayDeque<>();
    try (var parser = new JsonFactory().createParser(ObjectReadContext.empty(), text)) {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.PROPERTY_NAME) {
          names.removeLast();
          names.addLast("/" + parser.currentName());
          continue;
        }
        if (token.isStructEnd()) {
          names.removeLast();
          sizes.removeLast();
          continue;
        }
        if (!sizes.isEmpty() && sizes.getLast() >= 0) {
          names.removeLast();
          names.addLast("/" + sizes.getLast());
          sizes.addLast(sizes.removeLast() + 1);
        }
        if (token.isStructStart()) {
          names.addLast("");
          sizes.addLast(token == JsonToken.START_ARRAY ? 0 : -1);
          continue;
        }
        int from = (int) parser.currentTokenLocation().getByteOffset();
        found.add(new Value(String.join("", names), from, end(text, from)));
      }
    }
    return found;
  }

  private static int end(byte[] text, int from) {
    var string = text[from] == '"';
    var at = from + 1;
    while (at < text.length && (string ? text[at] != '"' : ",]} \n\t".indexOf(text[at]) < 0)) {
      at += string && text[at] == '\\' ? 2 : 1;
    }
    return string ? at + 1 : at;
  }
}
