package dev.gatehouse.ratelimit.redis;

/** Whole numbers as decimal digits, without an object in between. */
final class Decimal {
  static final int MAX_LENGTH = 20;

  private Decimal() {}

  /** @return where the digits end */
  static int write(long number, byte[] into, int at) {
    if (number == Long.MIN_VALUE) {
      throw new IllegalArgumentException("no counter is so small");
    }
    int start = at;
    long rest = number;
    if (rest < 0) {
      into[start++] = '-';
      rest = -rest;
    }
    int end = start + digits(rest);
    for (int i = end - 1; i >= start; i--) {
      into[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return end;
  }

  private static int digits(long number) {
    int digits = 1;
    for (long rest = number / 10; rest > 0; rest /= 10) {
      digits++;
    }
    return digits;
  }
}
