package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.gatehouse.extproc.json.JsonSink;
import java.util.Arrays;

/** What has been written to it, until it is taken away. */
final class Piled implements JsonSink {
  private static final byte[] NOTHING = {};
  private byte[] bytes;
  private int length;

  /** @param expected bytes */
  Piled(int expected) {
    bytes = new byte[expected];
  }

  @Override
  public void write(byte[] some, int from, int to) {
    var count = to - from;
    if (count > bytes.length - length) {
      var more = Math.min(2L * bytes.length, Integer.MAX_VALUE - 16);
      bytes = Arrays.copyOf(bytes, (int) Math.max(length + count, more));
    }
    System.arraycopy(some, from, bytes, length, count);
    length += count;
  }

  /** As much is going to be written. */
  void expect(int count) {
    if (count > bytes.length - length) {
      bytes = Arrays.copyOf(bytes, length + count);
    }
  }

  byte[] bytes() {
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }

  int length() {
    return length;
  }

  /** All of it; it is empty then. */
  ByteString take() {
    if (length == 0) {
      return ByteString.EMPTY;
    }
    var all = UnsafeByteOperations.unsafeWrap(bytes, 0, length);
    bytes = NOTHING;
    length = 0;
    return all;
  }
}
