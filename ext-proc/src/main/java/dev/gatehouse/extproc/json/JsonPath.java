package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A JSON Pointer (RFC 6901) in which the token {@code *} is any element or member, and {@code **} any number of levels, none too:
 * {@code /**}{@code /card} is every member {@code card} wherever it is. Members whose names are one or two asterisks cannot be named
 * alone.
 */
public final class JsonPath {
  /**
   * How many {@code *} may follow a {@code **}: each may double the places that a matcher has to tell apart.
   */
  private static final int MAX_STARS_BELOW = 5;

  private final String text;
  private final List<Token> tokens;

  private JsonPath(String text, List<Token> tokens) {
    this.text = text;
    this.tokens = tokens;
  }

  /** One step down. */
  static final class Token {
    private static final Token ANY = new Token(null, -1);
    private static final Token DESCENT = new Token(null, -1);

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

    /** Whether it is {@code *}. */
    boolean isAny() {
      return equals(ANY);
    }

    /** Whether it is {@code **}. */
    boolean isDescent() {
      return equals(DESCENT);
    }

    /** A member's name; null for the two stars. */
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

    /** Whether it may name an element: an index, or the one after the last. */
    boolean isElement() {
      return index >= 0 || "-".equals(name);
    }

    /** Whether one member or element may bear both. */
    boolean meets(Token other) {
      return name == null || other.name == null || name.equals(other.name);
    }

    @Override
    public boolean equals(Object other) {
      return this == other
          || (other instanceof Token that && name != null && name.equals(that.name));
    }

    @Override
    public int hashCode() {
      return Objects.hashCode(name);
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
      switch (token) {
        case "*" -> tokens.add(Token.ANY);
        case "**" -> {
          if (tokens.isEmpty() || !tokens.getLast().isDescent()) {
            tokens.add(Token.DESCENT);
          }
        }
        default -> tokens.add(named(token, text));
      }
    }
    checkStars(tokens, text);
    if (tokens.size() > JsonWalk.MAX_DEPTH) {
      throw new IllegalArgumentException(
          "\"" + text + "\" goes deeper than the " + JsonWalk.MAX_DEPTH + " levels that are read");
    }
    return new JsonPath(text, List.copyOf(tokens));
  }

  private static void checkStars(List<Token> tokens, String text) {
    var first = 0;
    while (first < tokens.size() && !tokens.get(first).isDescent()) {
      first++;
    }
    if (first == tokens.size()) {
      return;
    }
    if (tokens.getLast().isDescent()) {
      throw new IllegalArgumentException(
          "\"" + text
              + "\" ends in **: say what is meant below it, such as /**/card, or name what it stands in");
    }
    var stars = tokens.subList(first, tokens.size()).stream()
            .filter(t -> t.name() == null)
            .count()
        - 1;
    if (stars > MAX_STARS_BELOW) {
      throw new IllegalArgumentException("\"" + text + "\" has " + stars
          + " more stars after its ** (expected: at most " + MAX_STARS_BELOW + ")");
    }
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

  /** Whether it has a {@code **}. */
  boolean descends() {
    return tokens.stream().anyMatch(Token::isDescent);
  }

  /** Whether all tokens from this one on are names. */
  boolean isDefinite(int from) {
    return tokens.subList(from, tokens.size()).stream().allMatch(token -> token.name() != null);
  }

  List<Token> tokens() {
    return tokens;
  }

  Token token(int depth) {
    return tokens.get(depth);
  }

  /** Whether the last token is a name, so that a member bears it. */
  public boolean endsInName() {
    return !tokens.isEmpty() && tokens.getLast().name() != null;
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
