package dev.gatehouse.extproc.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * What holds for any bytes that are to be masked: what goes on, whole or in pieces, shows another reader nothing of a masked value but
 * {@code null} and stars; and what is refused, that reader refuses too.
 */
final class MaskProperties {
  private static final JsonFactory JACKSON = new JsonFactory();

  /** Jackson has bounds of its own, and ours is a depth of 512. */
  private static final int LONGEST = 500;

  private enum Mask {
    HERE("/card") {
      @Override
      boolean hides(List<String> path) {
        return path.getFirst().equals("card");
      }
    },
    IN_EACH("/*/card") {
      @Override
      boolean hides(List<String> path) {
        return path.size() > 1 && path.get(1).equals("card");
      }
    },
    ANYWHERE("/**/card") {
      @Override
      boolean hides(List<String> path) {
        return path.contains("card");
      }
    },
    BELOW("/a/**/b/card") {
      @Override
      boolean hides(List<String> path) {
        var below = path.subList(1, path.size());
        return path.getFirst().equals("a")
            && java.util.Collections.indexOfSubList(below, List.of("b", "card")) >= 0;
      }
    };

    private final JsonEdits edits;

    Mask(String at) {
      edits = JsonEdits.of(List.of(new JsonEdit.Mask(JsonPath.parse(at), 0)));
    }

    /** @param path of a value, as its reader sees it; never empty */
    abstract boolean hides(List<String> path);
  }

  private MaskProperties() {}

  /**
   * @param input which mask, how long a piece, and then the text
   * @throws AssertionError saying what does not hold
   */
  static void hold(byte[] input) {
    if (input.length < 2 || input.length > LONGEST) {
      return;
    }
    var mask = Mask.values()[Math.floorMod(input[0], Mask.values().length)];
    var text = Arrays.copyOfRange(input, 2, input.length);
    var masked = whole(mask, text);
    assertThat(inPieces(mask, text, 1 + Math.floorMod(input[1], 16))).isEqualTo(masked);
    if (masked != null) {
      assertThat(shown(mask, masked)).allMatch(value -> value.matches("\\**|null"));
      return;
    }
    var readable = read(text);
    if (readable != null) { // Jackson lets some broken UTF-8 through.
      assertThat(jacksonReads(readable)).isFalse();
    }
  }

  private static byte @Nullable [] whole(Mask mask, byte[] text) {
    try {
      return mask.edits.apply(text.clone());
    } catch (UnprocessableBody e) {
      return null;
    }
  }

  private static byte @Nullable [] inPieces(Mask mask, byte[] text, int size) {
    var out = new ByteArrayOutputStream();
    var splicer = mask.edits.splicer((piece, from, to) -> out.write(piece, from, to - from));
    try {
      for (var at = 0; at < text.length; at += size) {
        var piece = Arrays.copyOfRange(text, at, Math.min(at + size, text.length));
        splicer.feed(piece, 0, piece.length);
        Arrays.fill(piece, (byte) '!');
      }
      splicer.finish();
      return out.toByteArray();
    } catch (UnprocessableBody e) {
      return null;
    }
  }

  /** What a reader sees where nothing is to be seen, up to what it takes for an error (halves of surrogates in names). */
  private static List<String> shown(Mask mask, byte[] json) {
    var shown = new ArrayList<String>();
    Deque<String> path = new ArrayDeque<>();
    try (var parser = JACKSON.createParser(ObjectReadContext.empty(), json)) {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        switch (token) {
          case START_OBJECT, START_ARRAY -> path.addLast("[]");
          case END_OBJECT, END_ARRAY -> path.removeLast();
          case PROPERTY_NAME -> {
            path.removeLast();
            path.addLast(parser.currentName());
          }
          default -> {
            if (!path.isEmpty() && mask.hides(List.copyOf(path))) {
              shown.add(token == JsonToken.VALUE_NULL ? "null" : parser.getString());
            }
          }
        }
      }
    } catch (JacksonException e) {
      return shown;
    }
    return shown;
  }

  /** Of characters: from bytes it would guess at UTF-16, which is refused here. */
  private static boolean jacksonReads(String json) {
    try (var parser = JACKSON.createParser(ObjectReadContext.empty(), json)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (JacksonException e) {
      return false;
    }
  }

  /** Null where it is no UTF-8. */
  private static @Nullable String read(byte[] text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
