package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.gson.io.GsonDeserializer;
import io.jsonwebtoken.io.Deserializer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Checks the tokens of one provider: where its keys come from and what it asks for. Two providers that ask for the same share one. */
public final class Verifier {
  private static final Deserializer<Map<String, ?>> GSON = new GsonDeserializer<>();
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

  /** Whether checking the signature takes so long that it must leave the event loop. */
  public boolean slow(UnverifiedToken token) {
    return token.algorithm().slow() && Crypto.slowCurves();
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
    return set.candidates(token);
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
    var refused = new BadToken("no key");
    for (var key : candidates) {
      try {
        checkSignature(token, key, now);
        return verified(token);
      } catch (BadToken e) {
        refused = e;
      }
    }
    throw refused;
  }

  private void checkClaims(UnverifiedToken token, Instant now) throws BadToken {
    if (!requirements.algorithms().contains(token.algorithm())) {
      throw new BadToken("its alg is not among the provider's"); // RFC 8725 §3.1
    }
    if (token.type() != null && !requirements.types().contains(token.type())) {
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
  }

  /** By jjwt: {@code parseSignedClaims} only, which never takes an unsecured token, with one key and one algorithm. */
  private void checkSignature(UnverifiedToken token, VerificationKey key, Instant now)
      throws BadToken {
    try {
      var parser = Jwts.parser()
          .json(GSON)
          .verifyWith(key.key())
          .sig()
          .clear()
          .add(token.algorithm().jjwt())
          .and()
          .clock(() -> Date.from(now))
          .clockSkewSeconds(requirements.skew().toSeconds());
      Crypto.use(parser).build().parseSignedClaims(token.compact());
    } catch (JwtException | IllegalArgumentException e) {
      throw new BadToken("jjwt: " + e.getClass().getSimpleName());
    }
  }

  private VerifiedToken verified(UnverifiedToken token) {
    var claims = new LinkedHashMap<String, @Nullable Object>();
    token.claims().forEach((name, value) -> claims.put(name, plain(value)));
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

  /** A JSON value that cannot be changed, its numbers doubles as they are in dynamic metadata and in every CEL. */
  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Number number -> number.doubleValue();
      case List<?> list -> {
        var copy = new ArrayList<@Nullable Object>(list.size());
        list.forEach(each -> copy.add(plain(each)));
        yield Collections.unmodifiableList(copy);
      }
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((name, each) -> copy.put((String) name, plain(each)));
        yield Collections.unmodifiableMap(copy);
      }
      default -> value;
    };
  }
}
