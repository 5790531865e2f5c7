package dev.gatehouse.extproc.transform;

import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Bodies as encoders may write them. */
final class Codings {
  private Codings() {}

  /** One gzip member without any of the optional fields. */
  static byte[] gzip(byte[] body) {
    return gzip(body, 0);
  }

  /** @param flags of RFC 1952 section 2.3.1: each of the fields that they announce is there */
  static byte[] gzip(byte[] body, int flags) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, (byte) flags, 1, 2, 3, 4, 0, 3});
    if ((flags & 4) != 0) {
      out.writeBytes(new byte[] {3, 0, 'x', 0, 'y'});
    }
    if ((flags & 8) != 0) {
      out.writeBytes(new byte[] {'n', 'a', 'm', 'e', 0});
    }
    if ((flags & 16) != 0) {
      out.writeBytes(new byte[] {0});
    }
    if ((flags & 2) != 0) {
      var sum = new CRC32();
      sum.update(out.toByteArray());
      out.write((int) sum.getValue());
      out.write((int) (sum.getValue() >> 8));
    }
    out.writeBytes(deflate(body, true));
    var sum = new CRC32();
    sum.update(body);
    littleEndian(out, (int) sum.getValue());
    littleEndian(out, body.length);
    return out.toByteArray();
  }

  /** @param bare without zlib's frame */
  static byte[] deflate(byte[] body, boolean bare) {
    var deflater = new Deflater(9, bare);
    try {
      deflater.setInput(body);
      deflater.finish();
      var out = new ByteArrayOutputStream();
      var some = new byte[8192];
      while (!deflater.finished()) {
        out.write(some, 0, deflater.deflate(some));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }

  static byte[] both(byte[] one, byte[] other) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(one);
    out.writeBytes(other);
    return out.toByteArray();
  }

  private static void littleEndian(ByteArrayOutputStream out, int number) {
    for (var shift = 0; shift < 32; shift += 8) {
      out.write(number >> shift);
    }
  }
}
