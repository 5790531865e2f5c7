package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/** Takes the bytes of a body: the very array in which it came, where it lies in one, as protobuf reads it; a copy else. */
final class BodyBytes extends ByteOutput {
  private byte[] bytes = {};
  private final int size;
  private int length;

  private BodyBytes(int size) {
    this.size = size;
  }

  /** Only to be read: they may be the body's own. */
  static byte[] of(ByteString body) {
    var out = new BodyBytes(body.size());
    try {
      UnsafeByteOperations.unsafeWriteTo(body, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // Nothing is read and nothing written.
    }
    return out.bytes;
  }

  @Override
  public void writeLazy(byte[] value, int offset, int count) {
    if (offset == 0 && count == size && count == value.length) {
      bytes = value;
    } else {
      write(value, offset, count);
    }
  }

  @Override
  public void write(byte value) {
    reserve();
    bytes[length++] = value;
  }

  @Override
  public void write(byte[] value, int offset, int count) {
    reserve();
    System.arraycopy(value, offset, bytes, length, count);
    length += count;
  }

  @Override
  public void write(ByteBuffer value) {
    reserve();
    int count = value.remaining();
    value.get(bytes, length, count);
    length += count;
  }

  @Override
  public void writeLazy(ByteBuffer value) {
    write(value);
  }

  private void reserve() {
    if (bytes.length < size) {
      bytes = new byte[size];
    }
  }
}
