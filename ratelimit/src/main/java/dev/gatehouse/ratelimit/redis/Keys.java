package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.Hit;
import java.nio.charset.StandardCharsets;

/**
 * The keys of fixed windows: {@code <prefix><limit>:<unit><window>}, and {@code :<subject>} behind it where a limit counts each of several
 * by itself. For example {@code k3Vd0aYw2m_QpX7L:m29437201:alice}.
 *
 * <ul>
 *   <li>{@code <limit>}: 16 characters of {@code A-Za-z0-9-_}, the limit's identity ({@code Limit.id}): domain, path and unit hashed, but
 *       not the number of requests, so that raising a limit keeps its counters;
 *   <li>{@code <unit>}: one of {@code s m h d w M y};
 *   <li>{@code <window>}: the window's number since the epoch, in decimal;
 *   <li>{@code <subject>}: to the end of the key, so nothing in it needs escaping; values longer than 128 characters are hashed.
 * </ul>
 *
 * <p>No two counters share a key: the first two parts have one form only, and the subject is unambiguous in itself.
 */
final class Keys {
  private final String prefix;

  Keys(String prefix) {
    this.prefix = prefix;
  }

  byte[] of(Hit hit, long now) {
    var limit = hit.limit();
    var window = limit.window();
    var counter = prefix + limit.id() + ':' + window.sign() + window.number(now);
    var key = hit.subject().isEmpty() ? counter : counter + ':' + hit.subject();
    return key.getBytes(StandardCharsets.UTF_8);
  }
}
