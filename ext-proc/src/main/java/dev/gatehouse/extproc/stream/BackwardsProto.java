package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes a protobuf message from its end to its beginning, so that a nested message's length is known when its tag is written:
 * one pass and one buffer, where builders would measure and copy every level. Fields are therefore written last one first.
 */
final class BackwardsProto {
  private static final int VARINT = 0;
  private static final int LENGTH_DELIMITED = 2;

  private byte[] buffer;
  private int head;

  BackwardsProto(int capacity) {
    buffer = new byte[capacity];
    head = capacity;
  }

  /** Where the message that is about to be written ends. */
  int mark() {
    return buffer.length - head;
  }

  /** Closes a nested message: everything written since the mark is the field's value. */
  void message(int field, int mark) {
    varint(mark() - mark);
    tag(field, LENGTH_DELIMITED);
  }

  void bytes(int field, byte[] value) {
    raw(value);
    varint(value.length);
    tag(field, LENGTH_DELIMITED);
  }

  void bytes(int field, ByteString value) {
    reserve(value.size());
    head -= value.size();
    value.copyTo(buffer, head);
    varint(value.size());
    tag(field, LENGTH_DELIMITED);
  }

  void string(int field, String value) {
    bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  void number(int field, int value) {
    varint(value);
    tag(field, VARINT);
  }

  /** Fields that are serialised already. */
  void raw(byte[] fields) {
    reserve(fields.length);
    head -= fields.length;
    System.arraycopy(fields, 0, buffer, head, fields.length);
  }

  /** Nothing is copied where the capacity was just what the message takes; nothing may be written after this. */
  byte[] toBytes() {
    return head == 0 ? buffer : Arrays.copyOfRange(buffer, head, buffer.length);
  }

  /** How many bytes a length-delimited field with a number below 16 takes. */
  static int fieldSize(int length) {
    return 1 + size(length) + length;
  }

  private void tag(int field, int type) {
    varint(field << 3 | type);
  }

  private void varint(int value) {
    var size = size(value);
    reserve(size);
    head -= size;
    var at = head;
    while ((value & ~0x7f) != 0) {
      buffer[at++] = (byte) ((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    buffer[at] = (byte) value;
  }

  private static int size(int value) {
    return Math.max(1, (38 - Integer.numberOfLeadingZeros(value)) / 7);
  }

  private void reserve(int bytes) {
    if (bytes <= head) {
      return;
    }
    var used = mark();
    var larger = new byte[Math.max(buffer.length * 2, Math.addExact(used, bytes + 64))];
    System.arraycopy(buffer, head, larger, larger.length - used, used);
    head = larger.length - used;
    buffer = larger;
  }
}
