package dev.gatehouse.extproc.json;

import java.util.Arrays;

/** A text that is copied with some of its byte ranges replaced, in the order of the text, none over another. Nothing is copied before the first. */
final class Splice {
  /** How much a text may grow, beside thrice its length: what one `*` sets everywhere must not make gigabytes of a small body. */
  private static final int GROWTH = 1 << 20;

  private static final byte[] NOTHING = {};

  private final byte[] in;
  private byte[] out = NOTHING;
  private int length;
  private int from;
  private boolean changed;

  Splice(byte[] in) {
    this.in = in;
  }

  void replace(int start, int end, byte[] replacement) throws UnprocessableBody {
    if (!changed) {
      changed = true;
      out = new byte[in.length + 64];
    }
    append(in, from, start - from);
    append(replacement, 0, replacement.length);
    from = end;
  }

  void cut(int start, int end) throws UnprocessableBody {
    replace(start, end, NOTHING);
  }

  /** The very same array if nothing was replaced. */
  byte[] result() throws UnprocessableBody {
    if (!changed) {
      return in;
    }
    append(in, from, in.length - from);
    return length == out.length ? out : Arrays.copyOf(out, length);
  }

  private void append(byte[] bytes, int start, int count) throws UnprocessableBody {
    var needed = (long) length + count;
    if (needed > out.length) {
      var most = Math.min(4L * in.length + GROWTH, Integer.MAX_VALUE - 16);
      if (needed > most) {
        throw new UnprocessableBody("the changed body would be too large");
      }
      out = Arrays.copyOf(out, (int) Math.min(most, Math.max(needed, out.length * 2L)));
    }
    System.arraycopy(bytes, start, out, length, count);
    length += count;
  }
}
