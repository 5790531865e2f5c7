package dev.gatehouse.ratelimit.redis;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes commands as Redis reads them (RESP): an array of strings. Used on one thread only, again and again. */
final class Message {
  private static final byte[] INCRBY = "*3\r\n$6\r\nINCRBY\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] PEXPIRE =
      "*3\r\n$7\r\nPEXPIRE\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] GET = "*2\r\n$3\r\nGET\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] EVALSHA = ("$7\r\nEVALSHA\r\n$" + Script.NAME.length + "\r\n"
          + new String(Script.NAME, StandardCharsets.US_ASCII) + "\r\n")
      .getBytes(StandardCharsets.US_ASCII);

  /** A number's length needs one digit: it is shorter than ten, or it is not and then two. */
  private static final int MAX_NUMBER = 5 + Decimal.MAX_LENGTH + 2;

  private byte[] bytes = new byte[1024];
  private int at;

  byte[] incrBy(byte[] key, long addend) {
    return begin(INCRBY).text(key).number(addend).end();
  }

  byte[] pExpire(byte[] key, long millis) {
    return begin(PEXPIRE).text(key).number(millis).end();
  }

  byte[] get(byte[] key) {
    return begin(GET).text(key).end();
  }

  /** Of {@link Script}: its keys and arguments are to follow. */
  Message evalSha(int keys, int arguments) {
    at = 0;
    room(MAX_NUMBER);
    bytes[at++] = '*';
    at = Decimal.write(3L + keys + arguments, bytes, at);
    return crlf().raw(EVALSHA).number(keys);
  }

  private Message begin(byte[] command) {
    at = 0;
    return raw(command);
  }

  Message text(byte[] text) {
    room(text.length + MAX_NUMBER);
    bytes[at++] = '$';
    at = Decimal.write(text.length, bytes, at);
    return crlf().raw(text).crlf();
  }

  Message letters(char one, char two, char three) {
    room(9);
    bytes[at++] = '$';
    bytes[at++] = '3';
    crlf();
    bytes[at++] = (byte) one;
    bytes[at++] = (byte) two;
    bytes[at++] = (byte) three;
    return crlf();
  }

  /** Its digits first, behind the room that their length takes. */
  Message number(long number) {
    room(MAX_NUMBER);
    int start = at + 4;
    int end = Decimal.write(number, bytes, start);
    int length = end - start;
    if (length > 9) {
      System.arraycopy(bytes, start, bytes, start + 1, length);
      end++;
    }
    bytes[at++] = '$';
    at = Decimal.write(length, bytes, at);
    crlf();
    at = end;
    return crlf();
  }

  byte[] end() {
    return Arrays.copyOf(bytes, at);
  }

  private Message raw(byte[] more) {
    room(more.length);
    System.arraycopy(more, 0, bytes, at, more.length);
    at += more.length;
    return this;
  }

  private Message crlf() {
    room(2);
    bytes[at++] = '\r';
    bytes[at++] = '\n';
    return this;
  }

  private void room(int more) {
    if (at + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, at + more));
    }
  }
}
