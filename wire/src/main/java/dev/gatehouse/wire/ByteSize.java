package dev.gatehouse.wire;

/** Numbers of bytes as policies write them. */
public final class ByteSize {
  private static final String[] UNITS = {"Ti", "Gi", "Mi", "Ki"};

  private ByteSize() {}

  /** {@code 10Mi}, {@code 32Ki}; as a plain number where no unit is exact. */
  public static String of(long bytes) {
    for (int i = 0; i < UNITS.length; i++) {
      int shift = 10 * (UNITS.length - i);
      if (bytes >= 1L << shift && bytes % (1L << shift) == 0) {
        return (bytes >> shift) + UNITS[i];
      }
    }
    return bytes + " bytes";
  }
}
