package dev.gatehouse.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/**
 * A JSON text of many records, as an upstream sends it or as a client should see it, with two fields of each record masked. It is made
 * where it is wanted, and nobody holds the whole: after its begin the same few records come again and again.
 */
final class Records {
  /** Of the records that come again; not a multiple of any buffer's size. */
  private static final int SOME_BYTES = 60_000;

  private final byte[] begin;
  private final byte[] some;
  private final byte[] end;
  private final long times;

  private Records(byte[] begin, byte[] some, byte[] end, long times) {
    this.begin = begin;
    this.some = some;
    this.end = end;
    this.times = times;
  }

  /**
   * @param number tells texts apart: no two have the same records
   * @param bytes how long it is, up to its last record
   */
  static Records of(int number, long bytes, boolean masked) {
    var random = new Random(number);
    var some = new StringBuilder();
    for (int i = 0; some.length() < SOME_BYTES; i++) {
      append(some, random, 1_000_000 + i, masked);
      some.append(',');
    }
    return new Records(
        utf8("{\"text\":" + number + ",\"records\":["),
        utf8(some.toString()),
        utf8("{}]}"),
        Math.max(1, bytes / some.length()));
  }

  /** An order as a shop lists it, some 600 bytes: most of it is nothing that is masked. */
  static void append(StringBuilder text, Random random, int id, boolean masked) {
    text.append("{\"id\":")
        .append(id)
        .append(",\"customer\":\"Customer ")
        .append(random.nextInt(100_000))
        .append("\",\"email\":\"c")
        .append(random.nextInt(100_000))
        .append("@example.com\",\"card\":\"")
        .append(shown("4111" + random.nextLong(100_000_000_000L, 1_000_000_000_000L), masked))
        .append("\",\"iban\":\"")
        .append(shown(
            "DE"
                + random.nextLong(10_000_000_000L, 100_000_000_000L)
                + random.nextLong(10_000_000_000L, 100_000_000_000L),
            masked))
        .append("\",\"total\":")
        .append(random.nextInt(100_000) / 100.0)
        .append(",\"currency\":\"EUR\",\"paid\":")
        .append(random.nextBoolean())
        .append(",\"note\":")
        .append(random.nextInt(4) == 0 ? "\"leave it \\\"at the door\\\"\"" : "null")
        .append(",\"address\":{\"street\":\"Long Street ")
        .append(random.nextInt(200))
        .append("\",\"city\":\"M\u00fcnster\",\"zip\":\"")
        .append(random.nextInt(10_000, 99_999))
        .append("\",\"geo\":[")
        .append(random.nextInt(90_000) / 1000.0)
        .append(',')
        .append(random.nextInt(180_000) / 1000.0)
        .append("]},\"items\":[");
    for (int item = random.nextInt(1, 5); item > 0; item--) {
      text.append("{\"sku\":\"SKU-")
          .append(random.nextInt(100_000))
          .append("\",\"name\":\"An article with a name\",\"quantity\":")
          .append(random.nextInt(1, 9))
          .append(",\"price\":")
          .append(random.nextInt(10_000) / 100.0)
          .append(item == 1 ? "}" : "},");
    }
    text.append("],\"tags\":[\"new\",\"gift\"]}");
  }

  long length() {
    return begin.length + times * some.length + end.length;
  }

  /** The bytes from a position on, up to where the next part begins; none remain at the end. */
  ByteBuffer from(long position) {
    if (position < begin.length) {
      return rest(begin, (int) position);
    }
    long behind = position - begin.length;
    return behind < times * some.length
        ? rest(some, (int) (behind % some.length))
        : rest(end, (int) (behind - times * some.length));
  }

  private static ByteBuffer rest(byte[] part, int from) {
    return ByteBuffer.wrap(part, from, part.length - from);
  }

  private static String shown(String secret, boolean masked) {
    int last = secret.length() - 4;
    return masked ? "*".repeat(last) + secret.substring(last) : secret;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
