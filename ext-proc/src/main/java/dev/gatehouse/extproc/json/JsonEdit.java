package dev.gatehouse.extproc.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** One change of a JSON text, ready to be made. What is not there is not changed, but by {@link Set}. */
public sealed interface JsonEdit {
  JsonPath at();

  /** Why it cannot be made of a text that comes in pieces; empty if it can. */
  default Optional<String> needsWholeBody() {
    return Optional.empty();
  }

  /**
   * Puts a value in place of the one that is there, or adds it, with the objects on the way that are missing; {@code -} appends to
   * an array. A way that leads through something that is no container makes the body unprocessable, so that nobody can keep the
   * value out. After a {@code **} it only replaces what is there.
   */
  final class Set implements JsonEdit {
    private final JsonPath at;
    private final JsonValue value;

    /** @param value a JSON text */
    public Set(JsonPath at, String value) {
      this(at, JsonValue.of(value));
    }

    private Set(JsonPath at, JsonValue value) {
      this.at = at;
      this.value = value;
    }

    /** A value that is another one for each text: see {@link JsonEdits#with}. */
    public static Set given(JsonPath at, int slot) {
      return new Set(at, JsonValue.given(slot));
    }

    @Override
    public JsonPath at() {
      return at;
    }

    JsonValue value() {
      return value;
    }

    @Override
    public String toString() {
      return "Set[" + at + "=" + value + "]";
    }
  }

  record Remove(JsonPath at) implements JsonEdit {}

  /** In place of a member that has the new name already. */
  record Rename(JsonPath at, String to) implements JsonEdit {}

  /**
   * Puts {@code *} for every character of a string or number but the last ones, or for all where there are not more than those; of
   * everything inside an object or array. A boolean is four of them, whichever it is. Null stays null.
   */
  record Mask(JsonPath at, int keepLast) implements JsonEdit {}

  /**
   * Adds a value where there is none, with the objects on the way that are missing; what is there stays, {@code null} too. A way that
   * leads through something that is no container is left as it is: who sends that could have sent a value of his own as well.
   */
  final class Default implements JsonEdit {
    private final JsonPath at;
    private final JsonValue value;

    /**
     * @param value a JSON text
     * @throws IllegalArgumentException for a place that would be new in every object
     */
    public Default(JsonPath at, String value) {
      this(at, JsonValue.of(value));
    }

    private Default(JsonPath at, JsonValue value) {
      if (!at.endsInName()
          || at.descends()
          || "-".equals(at.token(at.length() - 1).name())) {
        throw new IllegalArgumentException(
            "\"" + at
                + "\" names no member that can be missing (expected: a JSON Pointer that ends in a name and has no **)");
      }
      this.at = at;
      this.value = value;
    }

    /** A value that is another one for each text: see {@link JsonEdits#with}. */
    public static Default given(JsonPath at, int slot) {
      return new Default(at, JsonValue.given(slot));
    }

    @Override
    public JsonPath at() {
      return at;
    }

    JsonValue value() {
      return value;
    }

    @Override
    public String toString() {
      return "Default[" + at + "=" + value + "]";
    }
  }

  /**
   * Takes a value from one place to another, where it is {@link Set}; does nothing where there is none. Where the two places begin
   * alike they mean the same element or member, so that {@code /orders/}{@code *}{@code /ref/id} can move to
   * {@code /orders/}{@code *}{@code /id}. Of members that occur twice the last is taken, and both go.
   */
  record Move(JsonPath at, JsonPath to) implements JsonEdit {
    /** @throws IllegalArgumentException if it is not clear what goes where */
    public Move {
      int common = common(at, to);
      if (at.descends() || to.descends() || at.length() == 0 || to.length() == 0) {
        throw new IllegalArgumentException(
            "from \"" + at + "\" to \"" + to
                + "\" cannot be moved (expected: two JSON Pointers without **, neither the whole text)");
      }
      if (!at.isDefinite(common) || !to.isDefinite(common)) {
        throw new IllegalArgumentException("from \"" + at + "\" to \"" + to
            + "\" it is not clear which goes where: a * may only stand where both begin alike");
      }
      if (to.length() > at.length() && to.tokens().subList(0, at.length()).equals(at.tokens())) {
        throw new IllegalArgumentException(
            "\"" + at + "\" cannot be moved into itself, to \"" + to + "\"");
      }
    }

    @Override
    public Optional<String> needsWholeBody() {
      return at.equals(to)
          ? Optional.empty()
          : Optional.of(
              "what moves from " + at + " to " + to + " may come after the place that it goes to");
    }

    /** How many tokens name the container that both places are in. */
    int common() {
      return common(at, to);
    }

    private static int common(JsonPath at, JsonPath to) {
      int most = Math.min(at.length(), to.length()) - 1;
      int common = 0;
      while (common < most && at.token(common).equals(to.token(common))) {
        common++;
      }
      return Math.max(common, 0);
    }
  }

  /**
   * A JSON merge patch (RFC 7396): what it names is set, gone into, or removed, and whatever is in its way and no object becomes one.
   *
   * @param members of the patch, at most {@value #MAX_MEMBERS}
   */
  record Merge(Map<String, Change> members) implements JsonEdit {
    /** Of one object of the patch. */
    public static final int MAX_MEMBERS = 60;

    private static final JsonPath ROOT = JsonPath.parse("");

    /** @throws IllegalArgumentException if it has too many members */
    public Merge {
      members = checked(members);
    }

    /** What happens to a member. */
    public sealed interface Change {}

    /** {@code null} in the patch. */
    public record Removal() implements Change {}

    public record Into(Map<String, Change> members) implements Change {
      public Into {
        members = checked(members);
      }
    }

    /** Any other value, an array too. */
    public static final class Value implements Change {
      private final JsonValue value;

      private Value(JsonValue value) {
        this.value = value;
      }

      JsonValue value() {
        return value;
      }
    }

    /** @param json a JSON text */
    public static Change value(String json) {
      return new Value(JsonValue.of(json));
    }

    /** A value that is another one for each text: see {@link JsonEdits#with}. */
    public static Change given(int slot) {
      return new Value(JsonValue.given(slot));
    }

    @Override
    public JsonPath at() {
      return ROOT;
    }

    private static Map<String, Change> checked(Map<String, Change> members) {
      if (members.size() > MAX_MEMBERS) {
        throw new IllegalArgumentException("an object of a merge has " + members.size()
            + " members (expected: at most " + MAX_MEMBERS + "; write two steps)");
      }
      return Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }
  }
}
