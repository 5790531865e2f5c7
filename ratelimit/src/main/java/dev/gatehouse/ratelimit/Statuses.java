package dev.gatehouse.ratelimit;

/**
 * {@code overall_code} and {@code statuses} of a {@code RateLimitResponse}, written by hand: field by field what the generated class would
 * write, at a fraction of its cost (docs/performance.md).
 */
final class Statuses {
  private static final int OK = 1;
  private static final int OVER_LIMIT = 2;

  // Protobuf tags: field number << 3 | wire type (0 varint, 2 length-delimited).
  private static final byte OVERALL_CODE = 1 << 3;
  private static final byte STATUSES = 2 << 3 | 2;
  private static final byte STATUS_CODE = 1 << 3;
  private static final byte STATUS_CURRENT_LIMIT = 2 << 3 | 2;
  private static final byte STATUS_LIMIT_REMAINING = 3 << 3;
  private static final byte STATUS_DURATION_UNTIL_RESET = 4 << 3 | 2;
  private static final byte DURATION_SECONDS = 1 << 3;

  private final byte[] bytes;
  private int at;

  private Statuses(int size) {
    bytes = new byte[size];
  }

  static byte[] of(Verdict verdict) {
    int size = 2;
    for (var status : verdict.statuses()) {
      int length = size(status);
      size += 1 + sizeOfVarint(length) + length;
    }
    var answer = new Statuses(size);
    answer.field(OVERALL_CODE, verdict.over() ? OVER_LIMIT : OK);
    for (var status : verdict.statuses()) {
      answer.field(STATUSES, size(status));
      answer.status(status);
    }
    return answer.bytes;
  }

  private static int size(Verdict.Status status) {
    int remaining = status.remaining() == 0 ? 0 : 1 + sizeOfVarint(status.remaining());
    if (status.limit() == null) {
      return 2 + remaining;
    }
    int limit = status.limit().currentLimit().length;
    int reset = status.resetSeconds() == 0 ? 0 : 1 + sizeOfVarint(status.resetSeconds());
    return 2 + 1 + sizeOfVarint(limit) + limit + remaining + 1 + sizeOfVarint(reset) + reset;
  }

  private void status(Verdict.Status status) {
    field(STATUS_CODE, status.denies() ? OVER_LIMIT : OK);
    if (status.limit() != null) {
      var limit = status.limit().currentLimit();
      field(STATUS_CURRENT_LIMIT, limit.length);
      System.arraycopy(limit, 0, bytes, at, limit.length);
      at += limit.length;
    }
    if (status.remaining() != 0) {
      field(STATUS_LIMIT_REMAINING, status.remaining());
    }
    if (status.limit() == null) {
      return;
    }
    if (status.resetSeconds() == 0) {
      field(STATUS_DURATION_UNTIL_RESET, 0);
      return;
    }
    field(STATUS_DURATION_UNTIL_RESET, 1 + sizeOfVarint(status.resetSeconds()));
    field(DURATION_SECONDS, status.resetSeconds());
  }

  private void field(byte tag, long value) {
    bytes[at++] = tag;
    long rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (byte) ((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes[at++] = (byte) rest;
  }

  private static int sizeOfVarint(long value) {
    int size = 1;
    for (long rest = value >>> 7; rest != 0; rest >>>= 7) {
      size++;
    }
    return size;
  }
}
