package dev.gatehouse.extproc.json;

/** One change of a JSON text, ready to be made. What is not there is not changed, but by {@link Set}. */
public sealed interface JsonEdit {
  JsonPath at();

  /**
   * Puts a value in place of the one that is there, or adds it, with the objects on the way that are missing; {@code -} appends to
   * an array. A way that leads through something that is no container makes the body unprocessable, so that nobody can keep the
   * value out.
   *
   * @param value a JSON text
   */
  record Set(JsonPath at, byte[] value) implements JsonEdit {}

  record Remove(JsonPath at) implements JsonEdit {}

  /** In place of a member that has the new name already. */
  record Rename(JsonPath at, String to) implements JsonEdit {}

  /**
   * Puts {@code *} for every character of a string, number or boolean but the last ones, or for all where there are not more than
   * those; of everything inside an object or array. Null stays null.
   */
  record Mask(JsonPath at, int keepLast) implements JsonEdit {}
}
