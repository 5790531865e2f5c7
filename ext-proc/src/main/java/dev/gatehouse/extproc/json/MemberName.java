package dev.gatehouse.extproc.json;

/**
 * A member's name as it is meant, however it is escaped. Remembers no more of it than the longest name that is looked for.
 */
final class MemberName extends CodePoints {
  private final byte[] utf8;
  private int length;
  private boolean unknown;

  MemberName(int longest) {
    this.utf8 = new byte[longest];
  }

  @Override
  void begin() {
    super.begin();
    length = 0;
    unknown = false;
  }

  @Override
  void point(int point) {
    int size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    boolean alone = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    if (unknown || alone || length + size > utf8.length) {
      unknown = true; // Nothing that is looked for begins like this.
      return;
    }
    if (size == 1) {
      utf8[length++] = (byte) point;
      return;
    }
    utf8[length++] = (byte) ((0xf00 >> size) | (point >> (6 * (size - 1))));
    for (int rest = size - 2; rest >= 0; rest--) {
      utf8[length++] = (byte) (0x80 | ((point >> (6 * rest)) & 0x3f));
    }
  }

  /** Whether it is none of the names that are looked for, whatever follows. */
  boolean isUnknown() {
    return unknown;
  }

  byte[] utf8() {
    return utf8;
  }

  int length() {
    return length;
  }
}
