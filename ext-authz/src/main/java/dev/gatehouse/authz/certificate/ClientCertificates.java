package dev.gatehouse.authz.certificate;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.time.Instant;

/**
 * Says who shows a certificate, by the policy's authorities; Envoy does not tell whether it checked, so we do. The first time that takes a
 * few signatures and is {@link Slow}: {@link #check} computes it away from the event loop and keeps the outcome, so that the next {@link
 * #ask} knows. One for the process; safe for all threads.
 *
 * <p>Outcomes are kept under the SHA-256 of what was shown and the authorities that were asked: others, or those of a reload, find
 * nothing. Whether a good one is still valid is looked at on every use. Good and bad ones are kept apart, so that bad ones cannot push
 * out good ones; both are bounded.
 */
public final class ClientCertificates {
  static final long MAX_GOOD_BYTES = 16L << 20;
  static final int MAX_BAD = 10_000;
  static final Duration KEPT_GOOD = Duration.ofMinutes(10);
  static final Duration KEPT_BAD = Duration.ofMinutes(1);

  /** A rough upper bound of what stands for a certificate beside its names. */
  private static final int FIXED_WEIGHT = 1 << 10;

  private static final Slow SLOW = new Slow();

  private final Cache<Key, CertificateIdentity> good;
  private final Cache<Key, BadCertificate> bad;

  public ClientCertificates() {
    this(Ticker.systemTicker());
  }

  ClientCertificates(Ticker ticker) {
    this.good = Caffeine.newBuilder()
        .maximumWeight(MAX_GOOD_BYTES)
        .weigher((Key _, CertificateIdentity who) -> weight(who))
        .expireAfterWrite(KEPT_GOOD)
        .ticker(ticker)
        .executor(Runnable::run)
        .build();
    this.bad = Caffeine.newBuilder()
        .maximumSize(MAX_BAD)
        .expireAfterWrite(KEPT_BAD)
        .ticker(ticker)
        .executor(Runnable::run)
        .build();
  }

  private record Key(long authorities, PresentedCertificate.Digest shown) {}

  public sealed interface Answer {}

  /** The authorities vouch for it, and it is valid now. Whether the policy lets it in is for its {@link Subjects}. */
  public record Verified(CertificateIdentity who) implements Answer {}

  public record Refused(BadCertificate why) implements Answer {}

  /** It takes a {@link #check}. */
  public record Slow() implements Answer {}

  /** Fast: for the event loop. */
  public Answer ask(Authorities authorities, PresentedCertificate shown, Instant now) {
    var key = new Key(authorities.id(), shown.digest());
    var who = good.getIfPresent(key);
    if (who != null) {
      return who.valid(now)
          ? new Verified(who)
          : new Refused(new BadCertificate("it, or one above it, has expired"));
    }
    var why = bad.getIfPresent(key);
    return why == null ? SLOW : new Refused(why);
  }

  /**
   * Computes what {@link #ask} could not say, unless somebody else has in the meantime; for a worker, never for an event loop.
   *
   * @return never {@link Slow}
   */
  public Answer check(Authorities authorities, PresentedCertificate shown, Instant now) {
    var known = ask(authorities, shown, now);
    if (!(known instanceof Slow)) {
      return known;
    }
    var key = new Key(authorities.id(), shown.digest());
    try {
      var who = PathCheck.check(authorities, shown, now);
      good.put(key, who);
      return new Verified(who);
    } catch (BadCertificate e) {
      bad.put(key, e);
      return new Refused(e);
    }
  }

  private static int weight(CertificateIdentity who) {
    int chars = who.subject().length();
    for (var uri : who.uris()) {
      chars += uri.length();
    }
    for (var dns : who.dns()) {
      chars += dns.length();
    }
    return FIXED_WEIGHT + 2 * chars;
  }
}
