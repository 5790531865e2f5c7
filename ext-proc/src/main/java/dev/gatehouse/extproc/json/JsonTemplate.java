package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Takes a JSON text of a policy apart at the strings that are to be rendered for each request. */
public final class JsonTemplate {
  private JsonTemplate() {}

  /** @param rendered true: {@code text} is what the string says; false: it is JSON, as it stands */
  public record Piece(String text, boolean rendered) {}

  /**
   * The text in pieces. Names of members stay as they stand.
   *
   * @throws IllegalArgumentException when it is no JSON text
   */
  public static List<Piece> pieces(String json, Predicate<String> isRendered) {
    var in = json.getBytes(StandardCharsets.UTF_8);
    var pieces = new ArrayList<Piece>();
    try {
      JsonEdits.check(in);
      var strings = new JsonTokens();
      var from = 0;
      for (var next = 0; (next = quote(in, next)) < in.length; ) {
        var end = strings.string(in, next + 1, in.length);
        var text = meaning(in, next + 1, end - 1);
        if (isRendered.test(text) && !isName(in, end)) {
          add(pieces, in, from, next);
          pieces.add(new Piece(text, true));
          from = end;
        }
        next = end;
      }
      add(pieces, in, from, in.length);
    } catch (UnprocessableBody e) {
      throw new IllegalArgumentException("not a JSON text: " + e.getMessage(), e);
    }
    return pieces;
  }

  /** A string as JSON writes it, quotes included. */
  public static String quote(String text) {
    var out = new StringBuilder(text.length() + 8).append('"');
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      var alone = Character.isSurrogate(c)
          && !(Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1)));
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ' || alone) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
        if (Character.isHighSurrogate(c)) {
          out.append(text.charAt(++i));
        }
      }
    }
    return out.append('"').toString();
  }

  private static String meaning(byte[] in, int from, int to) {
    var text = new StringBuilder();
    var points = new CodePoints() {
      @Override
      void point(int point) {
        text.appendCodePoint(point);
      }
    };
    points.take(in, from, to);
    points.end();
    return text.toString();
  }

  private static void add(List<Piece> pieces, byte[] in, int from, int to) {
    if (to > from) {
      pieces.add(new Piece(new String(in, from, to - from, StandardCharsets.UTF_8), false));
    }
  }

  private static int quote(byte[] in, int from) {
    var at = from;
    while (at < in.length && in[at] != '"') {
      at++;
    }
    return at;
  }

  private static boolean isName(byte[] in, int end) {
    var at = end;
    while (at < in.length
        && (in[at] == ' ' || in[at] == '\n' || in[at] == '\r' || in[at] == '\t')) {
      at++;
    }
    return at < in.length && in[at] == ':';
  }
}
