package dev.gatehouse.extproc.json;

import java.util.Arrays;

/** Byte ranges of a text and what takes their place, in the order of the text, none over another. */
final class Cuts {
  private int[] ranges = new int[16];
  private byte[][] replacements = new byte[8][];
  private int count;
  private long growth;

  void add(int start, int end, byte[] replacement) {
    if (count == replacements.length) {
      ranges = Arrays.copyOf(ranges, count * 4);
      replacements = Arrays.copyOf(replacements, count * 2);
    }
    ranges[2 * count] = start;
    ranges[2 * count + 1] = end;
    replacements[count++] = replacement;
    growth += replacement.length - (end - start);
  }

  /** The very same array if there are none. */
  byte[] applyTo(byte[] in) throws UnprocessableBody {
    if (count == 0) {
      return in;
    }
    var size = in.length + growth;
    if (size > Integer.MAX_VALUE - 16) {
      throw new UnprocessableBody("the changed body is too large");
    }
    var out = new byte[(int) size];
    var from = 0;
    var to = 0;
    for (var i = 0; i < count; i++) {
      var kept = ranges[2 * i] - from;
      System.arraycopy(in, from, out, to, kept);
      to += kept;
      System.arraycopy(replacements[i], 0, out, to, replacements[i].length);
      to += replacements[i].length;
      from = ranges[2 * i + 1];
    }
    System.arraycopy(in, from, out, to, in.length - from);
    return out;
  }
}
