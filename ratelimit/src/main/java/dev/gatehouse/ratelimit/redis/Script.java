package dev.gatehouse.ratelimit.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What Redis runs for us ({@code hits.lua}), and its name there: the SHA-1 of its text. */
final class Script {
  static final byte[] TEXT = read();
  static final byte[] NAME = name();

  private Script() {}

  private static byte[] read() {
    try (var file = Script.class.getResourceAsStream("hits.lua")) {
      if (file == null) {
        throw new IllegalStateException("hits.lua is missing");
      }
      return file.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] name() {
    try {
      var digest = MessageDigest.getInstance("SHA-1").digest(TEXT);
      return HexFormat.of().formatHex(digest).getBytes(StandardCharsets.US_ASCII);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-1", e);
    }
  }
}
