package dev.gatehouse.authz.jwt;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Checks the tokens of one provider: where its keys come from and what it asks for. Two providers that ask for the same share one. */
public final class Verifier {
  private static final AtomicLong IDS = new AtomicLong();

  private final long id = IDS.incrementAndGet();
  private final KeySource keys;
  private final Requirements requirements;

  Verifier(KeySource keys, Requirements requirements) {
    this.keys = keys;
    this.requirements = requirements;
  }

  /** Another number for each verifier ever made: what one verified another did not. */
  public long id() {
    return id;
  }

  public KeySource keys() {
    return keys;
  }

  /** Whether the token claims to be of this provider, which says nothing about whether it is. */
  public boolean concerns(UnverifiedToken token) {
    return requirements.issuer() == null || requirements.issuer().equals(token.issuer());
  }

  /**
   * Whether checking the signature takes so long that it must leave the event loop.
   *
   * @param candidates what {@link #candidates} gave for the token
   */
  public static boolean slow(List<VerificationKey> candidates) {
    return candidates.stream().anyMatch(VerificationKey::slow);
  }

  /**
   * The keys of the set that may have signed the token, once its claims are what the provider asks for; empty if the set does not
   * know its {@code kid}. Cheap: what it refuses needs no signature check.
   *
   * @throws BadToken saying why it is refused
   */
  public List<VerificationKey> candidates(UnverifiedToken token, KeySet set, Instant now)
      throws BadToken {
    checkClaims(token, now);
    return set.candidates(token.jws());
  }

  /**
   * The token, if one of the keys signed it.
   *
   * @param candidates what {@link #candidates} gave for it
   * @throws BadToken saying why it is refused
   */
  public VerifiedToken verify(UnverifiedToken token, List<VerificationKey> candidates, Instant now)
      throws BadToken {
    checkClaims(token, now);
    var _ = Signatures.check(token.jws(), candidates);
    return verified(token);
  }

  private void checkClaims(UnverifiedToken token, Instant now) throws BadToken {
    if (!requirements.algorithms().contains(token.jws().algorithm())) {
      throw new BadToken("its alg is not among the provider's"); // RFC 8725 §3.1
    }
    var type = token.jws().type();
    if (type == null ? requirements.typed() : !requirements.types().contains(type)) {
      throw new BadToken("its typ is not among " + requirements.types()); // RFC 8725 §3.11
    }
    if (!concerns(token)) {
      throw new BadToken("its iss is not the provider's"); // RFC 8725 §3.8
    }
    if (!requirements.audiences().isEmpty()
        && Collections.disjoint(requirements.audiences(), token.audiences())) {
      throw new BadToken("its aud is none of the provider's"); // RFC 8725 §3.9
    }
    long millis = now.toEpochMilli();
    if (millis >= until(token)) {
      throw new BadToken("it has expired"); // RFC 7519 §4.1.4
    }
    if (millis < from(token)) {
      throw new BadToken("it is not valid yet"); // RFC 7519 §4.1.5, and an iat in the future
    }
    checkLifetime(token);
    var missing = requirements.missing(token.claims());
    if (missing != null) {
      throw new BadToken("its " + missing + " is missing or says nothing"); // RFC 9068 §2.2
    }
  }

  private void checkLifetime(UnverifiedToken token) throws BadToken {
    var max = requirements.maxLifetime();
    if (max == null) {
      return;
    }
    if (token.issuedAt() == Long.MIN_VALUE) {
      throw new BadToken("iat is missing, so nobody knows how long it lives");
    }
    if (token.expires() - token.issuedAt() > max.toMillis()) {
      throw new BadToken("it lives longer than " + max.toSeconds() + " s");
    }
  }

  private VerifiedToken verified(UnverifiedToken token) {
    var claims = new LinkedHashMap<String, @Nullable Object>();
    token.claims().forEach((name, value) -> claims.put(name, StrictJson.plain(value)));
    return new VerifiedToken(
        claims.get("sub") instanceof String subject ? subject : null,
        token.issuer(),
        from(token),
        until(token),
        scopes(claims),
        Collections.unmodifiableMap(claims));
  }

  private long until(UnverifiedToken token) {
    return token.expires() + requirements.skew().toMillis();
  }

  private long from(UnverifiedToken token) {
    long from = Math.max(token.notBefore(), token.issuedAt());
    return from == Long.MIN_VALUE ? from : from - requirements.skew().toMillis();
  }

  private static List<String> scopes(Map<String, @Nullable Object> claims) {
    var claim = claims.containsKey("scope") ? claims.get("scope") : claims.get("scp");
    if (claim instanceof String text) {
      return text.isBlank() ? List.of() : List.of(text.strip().split(" +"));
    }
    if (claim instanceof List<?> list) {
      return list.stream()
          .filter(String.class::isInstance)
          .map(String.class::cast)
          .toList();
    }
    return List.of();
  }
}
