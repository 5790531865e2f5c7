package dev.gatehouse.extproc.json;

import java.util.Arrays;

/** A whole text as a walk writes it. Nothing is copied as long as it is the beginning of the one that is walked over. */
final class SplicedText implements JsonSink {
  private final byte[] in;
  private final long most;
  private boolean changed;
  private byte[] out;
  private int length;

  /** @param most bytes that it may have */
  SplicedText(byte[] in, long most) {
    this.in = in;
    this.most = most;
    this.out = in;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // Whether it is a range of the text itself.
  public void write(byte[] bytes, int from, int to) throws UnprocessableBody {
    if (!changed && bytes == in && from == length) {
      length = to;
      return;
    }
    if (!changed) {
      changed = true;
      out = in.clone(); // Most changes do not make it longer.
    }
    int count = to - from;
    if ((long) length + count > most) {
      throw JsonEdits.tooLarge();
    }
    if (count > out.length - length) {
      out = Arrays.copyOf(out, Math.max(length + count, (int)
          Math.min(2L * out.length, Integer.MAX_VALUE - 16)));
    }
    System.arraycopy(bytes, from, out, length, count);
    length += count;
  }

  /** The very same array if nothing was changed. */
  byte[] bytes() {
    return length == out.length ? out : Arrays.copyOf(out, length);
  }
}
