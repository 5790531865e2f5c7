package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A JSON Pointer (RFC 6901) in which the token {@code *} is any element or member. A member whose name is an asterisk cannot be
 * named alone.
 */
public final class JsonPath {
  private final String text;
  private final List<Token> tokens;

  private JsonPath(String text, List<Token> tokens) {
    this.text = text;
    this.tokens = tokens;
  }

  /** One step down. */
  static final class Token {
    private static final Token ANY = new Token(null, -1);

    private final @Nullable String name;
    private final byte[] utf8;
    private final int index;

    private Token(@Nullable String name, int index) {
      this.name = name;
      this.utf8 = name == null ? new byte[0] : name.getBytes(StandardCharsets.UTF_8);
      this.index = index;
    }

    static Token named(String name) {
      return new Token(name, index(name));
    }

    boolean isAny() {
      return name == null;
    }

    /** A member's name; null is {@code *}. */
    @Nullable
    String name() {
      return name;
    }

    /** The name's bytes. */
    byte[] utf8() {
      return utf8;
    }

    /** The element that the token names in an array, -1 if it names none. */
    int index() {
      return index;
    }

    private static int index(String name) {
      var digits = !name.isEmpty()
          && name.length() <= 9
          && name.chars().allMatch(c -> c >= '0' && c <= '9')
          && (name.length() == 1 || name.charAt(0) != '0');
      return digits ? Integer.parseInt(name) : -1;
    }
  }

  /** @throws IllegalArgumentException saying what was expected */
  public static JsonPath parse(String text) {
    if (text.isEmpty()) {
      return new JsonPath(text, List.of());
    }
    if (text.charAt(0) != '/') {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no JSON Pointer: it begins with / (RFC 6901), such as /card/number");
    }
    var tokens = new ArrayList<Token>();
    for (var token : text.substring(1).split("/", -1)) {
      tokens.add(token.equals("*") ? Token.ANY : named(token, text));
    }
    if (tokens.size() > JsonScanner.MAX_DEPTH) {
      throw new IllegalArgumentException("\"" + text + "\" goes deeper than the "
          + JsonScanner.MAX_DEPTH + " levels that are read");
    }
    return new JsonPath(text, List.copyOf(tokens));
  }

  private static Token named(String token, String text) {
    for (var i = token.indexOf('~'); i >= 0; i = token.indexOf('~', i + 1)) {
      if (i + 1 == token.length() || (token.charAt(i + 1) != '0' && token.charAt(i + 1) != '1')) {
        throw new IllegalArgumentException(
            "\"" + text + "\" is no JSON Pointer: ~ is written ~0, and / in a name ~1");
      }
    }
    var name = token.replace("~1", "/").replace("~0", "~");
    return Token.named(name);
  }

  int length() {
    return tokens.size();
  }

  Token token(int depth) {
    return tokens.get(depth);
  }

  /** Whether the last token is a name, so that a member bears it. */
  public boolean endsInName() {
    return !tokens.isEmpty() && !tokens.getLast().isAny();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JsonPath that && text.equals(that.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
