package dev.gatehouse.ratelimit.redis;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Keys of which a server has confirmed on this connection that they expire, so that the next hit need not say it again. Of a fixed size: a
 * key takes the place of another, which is said again then. Used on one loop only.
 */
final class Expiring {
  private static final int SIZE = 4096;

  private final byte[] @Nullable [] keys = new byte[SIZE][];

  boolean has(byte[] key) {
    return Arrays.equals(keys[place(key)], key);
  }

  void add(byte[] key) {
    keys[place(key)] = key;
  }

  void clear() {
    Arrays.fill(keys, null);
  }

  private static int place(byte[] key) {
    int hash = Arrays.hashCode(key) * 0x9e3779b9;
    return hash >>> 20;
  }
}
