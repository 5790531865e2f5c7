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
      var whole = new JsonScanner(in);
      whole.value(0);
      whole.end();
      var from = 0;
      var scanner = new JsonScanner(in);
      for (var next = 0; (next = quote(in, next)) < in.length; ) {
        scanner.moveTo(next);
        scanner.string();
        var end = scanner.at();
        var text = scanner.text(next, end, scanner.escaped());
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

  /** A string as JSON writes it. */
  public static String quote(String text) {
    return new String(JsonScanner.quote(text), StandardCharsets.UTF_8);
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
