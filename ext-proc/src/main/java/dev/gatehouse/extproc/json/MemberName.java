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
    if (unknown || isAlone(point) || length + size(point) > utf8.length) {
      unknown = true; // Nothing that is looked for begins like this.
      return;
    }
    length = utf8(point, utf8, length);
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
