package dev.gatehouse.extproc.json;

import java.nio.charset.StandardCharsets;

/** A JSON text that an edit puts in: known when edits are compiled, or given for each text that they are made of. */
final class JsonValue {
  private static final byte[] NOTHING = {};

  private final byte[] fixed;
  private final int slot;

  private JsonValue(byte[] fixed, int slot) {
    this.fixed = fixed;
    this.slot = slot;
  }

  static JsonValue of(byte[] json) {
    return new JsonValue(json, -1);
  }

  static JsonValue of(String json) {
    return of(json.getBytes(StandardCharsets.UTF_8));
  }

  static JsonValue given(int slot) {
    return new JsonValue(NOTHING, slot);
  }

  /** @param given the values for this text, by slot */
  byte[] in(byte[][] given) {
    return slot < 0 ? fixed : given[slot];
  }

  int slot() {
    return slot;
  }

  @Override
  public String toString() {
    return slot < 0 ? new String(fixed, StandardCharsets.UTF_8) : "given value " + slot;
  }
}
