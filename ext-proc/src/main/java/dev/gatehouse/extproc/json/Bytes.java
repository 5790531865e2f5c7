package dev.gatehouse.extproc.json;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Bytes put together from small pieces. */
final class Bytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Bytes add(byte[] piece) {
    out.writeBytes(piece);
    return this;
  }

  Bytes add(String piece) {
    return add(piece.getBytes(StandardCharsets.UTF_8));
  }

  byte[] toArray() {
    return out.toByteArray();
  }
}
