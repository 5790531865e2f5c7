package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The keys of counters: {@code <prefix>{<limit>:<subject>}<unit><window>}. For example {@code {k3Vd0aYw2m_QpX7L:alice}m29437201}.
 *
 * <ul>
 *   <li>{@code <limit>}: 16 characters of {@code A-Za-z0-9-_}, the limit's identity ({@code Limit.id}): domain, path and algorithm hashed,
 *       but not the number of requests, so that raising a limit keeps its counters;
 *   <li>{@code :<subject>}: only where a limit counts each of several by itself. Nothing in it needs escaping, since it ends at the key's
 *       last brace; values longer than 128 characters are hashed;
 *   <li>{@code <unit>}: one of {@code s m h d w M y}, or {@code C} for the calendar's months; of several units their number and a dot
 *       behind it ({@code m5.});
 *   <li>{@code <window>}: the window's number since the epoch, in decimal; a token bucket has none.
 * </ul>
 *
 * <p>No two counters share a key: the limit has one length, and what stands behind the last brace has one form only. In a cluster all the
 * keys of a limit and subject share a slot: what stands between the first brace and the next closing one is the same in them.
 */
final class Keys {
  private final byte[] prefix;

  /** Used on one thread only. */
  private byte[] scratch = new byte[256];

  Keys(String prefix) {
    this.prefix = prefix.getBytes(StandardCharsets.UTF_8);
  }

  /** @throws IllegalArgumentException if the prefix has braces */
  static void check(String prefix) {
    if (prefix.indexOf('{') >= 0 || prefix.indexOf('}') >= 0) {
      throw new IllegalArgumentException(
          "the prefix of Redis's keys: \"" + prefix
              + "\" (expected: no braces, since they say which part of a key chooses its slot in a cluster)");
    }
  }

  /** Of the counter at that time. */
  byte[] of(Hit hit, long now) {
    return hit.limit().algorithm() == Algorithm.TOKEN_BUCKET
        ? key(hit, -1)
        : key(hit, hit.limit().window().number(now));
  }

  /** Of the last window's counter. */
  byte[] ofLast(Hit hit, long now) {
    return key(hit, hit.limit().window().number(now) - 1);
  }

  /** @param window -1 for none */
  private byte[] key(Hit hit, long window) {
    var limit = hit.limit();
    int at = put(prefix, 0);
    at = put((byte) '{', at);
    at = put(limit.id(), at);
    if (!hit.subject().isEmpty()) {
      at = put((byte) ':', at);
      at = put(hit.subject(), at);
    }
    at = put((byte) '}', at);
    at = put(limit.window().sign(), at);
    if (window >= 0) {
      at = Decimal.write(window, room(at, Decimal.MAX_LENGTH), at);
    }
    return Arrays.copyOf(scratch, at);
  }

  private int put(byte one, int at) {
    room(at, 1)[at] = one;
    return at + 1;
  }

  private int put(byte[] bytes, int at) {
    System.arraycopy(bytes, 0, room(at, bytes.length), at, bytes.length);
    return at + bytes.length;
  }

  private int put(String text, int at) {
    int length = text.length();
    var key = room(at, length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c > 0x7f) {
        return put(text.getBytes(StandardCharsets.UTF_8), at);
      }
      key[at + i] = (byte) c;
    }
    return at + length;
  }

  private byte[] room(int at, int more) {
    if (at + more > scratch.length) {
      scratch = Arrays.copyOf(scratch, Math.max(2 * scratch.length, at + more));
    }
    return scratch;
  }
}
