package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;

/** One change of a JSON text, ready to be made. What is not there is not changed, but by {@link Set}. */
public sealed interface JsonEdit {
  JsonPath at();

  /**
   * Puts a value in place of the one that is there, or adds it, with the objects on the way that are missing; {@code -} appends to
   * an array. A way that leads through something that is no container makes the body unprocessable, so that nobody can keep the
   * value out.
   */
  final class Set implements JsonEdit {
    private final JsonPath at;
    private final byte[] value;

    /** @param value a JSON text */
    public Set(JsonPath at, String value) {
      this.at = at;
      this.value = value.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public JsonPath at() {
      return at;
    }

    byte[] value() {
      return value;
    }

    @Override
    public String toString() {
      return "Set[" + at + "=" + new String(value, StandardCharsets.UTF_8) + "]";
    }
  }

  record Remove(JsonPath at) implements JsonEdit {}

  /** In place of a member that has the new name already. */
  record Rename(JsonPath at, String to) implements JsonEdit {}

  /**
   * Puts {@code *} for every character of a string, number or boolean but the last ones, or for all where there are not more than
   * those; of everything inside an object or array. Null stays null.
   */
  record Mask(JsonPath at, int keepLast) implements JsonEdit {}
}
