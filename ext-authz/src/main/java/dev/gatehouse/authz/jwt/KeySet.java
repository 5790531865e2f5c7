package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.gson.io.GsonDeserializer;
import io.jsonwebtoken.io.Deserializer;
import io.jsonwebtoken.security.Jwks;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The public keys of an issuer (RFC 7517 §5), read once. Immutable. A set that holds a symmetric or private key, or two keys of
 * one {@code kid}, is refused as a whole: whoever published it did not mean what it says. A key that can never check a signature
 * here (another use, type or curve; a weak one) is left out.
 */
public final class KeySet {
  /** Of the JSON text, in bytes. */
  public static final int MAX_BYTES = 256 << 10;

  private static final int MAX_KEYS = 100;
  private static final int MIN_RSA_BITS = 2048;

  /** More only costs time: a check takes a millisecond. */
  private static final int MAX_RSA_BITS = 8192;

  /** How many keys a token without {@code kid} is tried against. */
  private static final int MAX_TRIES = 4;

  private static final Deserializer<Map<String, ?>> GSON = new GsonDeserializer<>();
  private static final AtomicLong GENERATIONS = new AtomicLong();

  private final long generation = GENERATIONS.incrementAndGet();
  private final List<VerificationKey> keys;
  private final List<String> leftOut;

  private KeySet(List<VerificationKey> keys, List<String> leftOut) {
    this.keys = keys;
    this.leftOut = leftOut;
  }

  /** @throws BadKeySet saying which key and why; no key is quoted */
  public static KeySet parse(String json) throws BadKeySet {
    return parse(json, Crypto.best());
  }

  /**
   * @param crypto who will check signatures with these keys
   * @throws BadKeySet saying which key and why; no key is quoted
   */
  public static KeySet parse(String json, Crypto crypto) throws BadKeySet {
    var utf8 = json.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > MAX_BYTES) {
      throw new BadKeySet(utf8.length + " bytes (expected: at most " + MAX_BYTES + ")");
    }
    var object = StrictJson.object(utf8);
    if (object == null || !(object.get("keys") instanceof List<?> members)) {
      throw new BadKeySet(
          "not a JWK set (expected: a JSON object {\"keys\": [...]} without duplicate names)");
    }
    if (members.size() > MAX_KEYS) {
      throw new BadKeySet(members.size() + " keys (expected: at most " + MAX_KEYS + ")");
    }
    var keys = new ArrayList<VerificationKey>();
    var leftOut = new ArrayList<String>();
    var kids = new HashSet<String>();
    for (int i = 0; i < members.size(); i++) {
      var where = "keys[" + i + "]";
      if (!(members.get(i) instanceof Map<?, ?> member)) {
        throw new BadKeySet(where + ": not a JSON object");
      }
      var jwk = new Jwk(where, member);
      refuse(jwk, kids);
      try {
        keys.add(jwk.key(crypto));
      } catch (UnusableKey e) {
        leftOut.add(where + ": " + e.getMessage());
      }
    }
    if (keys.isEmpty()) {
      throw new BadKeySet("no key that can check a signature " + leftOut);
    }
    return new KeySet(List.copyOf(keys), List.copyOf(leftOut));
  }

  /** Another number for each key set ever read: what was verified with one set is not known of another. */
  public long generation() {
    return generation;
  }

  /** Which keys were left out, and why. */
  public List<String> leftOut() {
    return leftOut;
  }

  /**
   * The keys that may have signed the token: the one of its {@code kid}, else those without one; they agree with the token's
   * algorithm in {@code alg}, {@code kty}, {@code crv}, {@code use} and {@code key_ops} (RFC 8725 §3.1, §3.5). Empty if the set
   * does not know the {@code kid}, or has no key for the algorithm.
   *
   * @throws BadToken if the key that the token names is not for its algorithm, or too many may have signed it
   */
  List<VerificationKey> candidates(CompactJws token) throws BadToken {
    var candidates = new ArrayList<VerificationKey>(1);
    for (var key : keys) {
      boolean named = token.kid() != null && token.kid().equals(key.kid());
      if (named && !key.fits(token.algorithm())) {
        throw new BadToken("the key of its kid is not for its alg");
      }
      if (named) {
        return List.of(key);
      }
      if ((token.kid() == null || key.kid() == null) && key.fits(token.algorithm())) {
        candidates.add(key);
      }
    }
    if (candidates.size() > MAX_TRIES) {
      throw new BadToken("it has no kid and more than " + MAX_TRIES + " keys may have signed it");
    }
    return candidates;
  }

  private static void refuse(Jwk jwk, Set<String> kids) throws BadKeySet {
    if (jwk.text("kty") == null) {
      throw new BadKeySet(jwk.where + ".kty: missing or no string");
    }
    // RFC 8725 §3.1: an HMAC key in reach of a public-key check is what algorithm confusion needs.
    if ("oct".equals(jwk.text("kty"))) {
      throw new BadKeySet(jwk.where + ".kty: oct (expected: public keys only)");
    }
    // RFC 7517 §9.2: private keys are not for publishing; this one is no longer anybody's.
    if (jwk.members.containsKey("d")) {
      throw new BadKeySet(jwk.where + ": a private key (expected: public keys only)");
    }
    // RFC 7517 §4.5: different keys of a set have different kids.
    var kid = jwk.text("kid");
    if (kid != null && !kids.add(kid)) {
      throw new BadKeySet(jwk.where + ".kid: there is another key of this kid");
    }
  }

  /** One key is left out; the others serve. */
  private static final class UnusableKey extends Exception {
    private static final long serialVersionUID = 1L;

    UnusableKey(String message) {
      super(message);
    }
  }

  /** One member of the set, before it is a key. */
  private record Jwk(String where, Map<?, ?> members) {
    /** Why it can never check a signature here; null if it can. */
    @Nullable
    String useless() {
      var use = members.get("use"); // RFC 7517 §4.2
      if (use != null && !"sig".equals(use)) {
        return "use is not sig";
      }
      var operations = members.get("key_ops"); // RFC 7517 §4.3
      if (operations != null && !(operations instanceof List<?> list && list.contains("verify"))) {
        return "key_ops is without verify";
      }
      var alg = members.get("alg"); // RFC 7517 §4.4
      if (alg != null && !(alg instanceof String name && Algorithm.named(name) != null)) {
        return "alg is not one of the public-key signature algorithms";
      }
      if (Algorithm.ALL.stream().noneMatch(a -> a.fits(required("kty"), text("crv")))) {
        return "kty or crv is of no algorithm";
      }
      return null;
    }

    VerificationKey key(Crypto crypto) throws UnusableKey {
      var why = useless();
      if (why != null) {
        throw new UnusableKey(why);
      }
      var alg = text("alg");
      var key = new VerificationKey(
          text("kid"),
          alg == null ? null : Algorithm.named(alg),
          required("kty"),
          text("crv"),
          crypto.own(publicKey()),
          crypto.forKey(text("crv")));
      if (Algorithm.ALL.stream().noneMatch(key::fits)) {
        throw new UnusableKey("alg and kty or crv contradict each other");
      }
      return key;
    }

    /** Built of the public members alone: {@code x5c}, {@code x5u} and what else there may be are not looked at. */
    private PublicKey publicKey() throws UnusableKey {
      var only = new LinkedHashMap<String, Object>();
      for (var name : List.of("kty", "crv", "n", "e", "x", "y")) {
        var value = members.get(name);
        if (value != null) {
          only.put(name, value);
        }
      }
      Key key;
      try {
        key = Jwks.parser().json(GSON).build().parse(StrictJson.write(only)).toKey();
      } catch (JwtException | IllegalArgumentException e) {
        throw new UnusableKey("no key of its kty (" + e.getClass().getSimpleName() + ")");
      }
      if (key instanceof RSAPublicKey rsa) {
        requireStrong(rsa);
      }
      if (!(key instanceof PublicKey publicKey)) {
        throw new UnusableKey("no public key");
      }
      return publicKey;
    }

    /** RFC 7518 §3.3: 2048 bits or more; RFC 8017 §3.1: an odd exponent of at least 3; and primes that nobody can guess. */
    private static void requireStrong(RSAPublicKey rsa) throws UnusableKey {
      int bits = rsa.getModulus().bitLength();
      if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
        throw new UnusableKey(
            "n has " + bits + " bits (expected: " + MIN_RSA_BITS + " to " + MAX_RSA_BITS + ")");
      }
      var exponent = rsa.getPublicExponent();
      if (exponent.bitLength() < 2 || !exponent.testBit(0)) {
        throw new UnusableKey("e is even or 1 (expected: an odd number of at least 3)");
      }
      if (Roca.marks(rsa.getModulus())) {
        throw new UnusableKey(
            "n is of a library whose keys can be factored (CVE-2017-15361, ROCA)");
      }
    }

    @Nullable
    String text(String name) {
      return members.get(name) instanceof String text ? text : null;
    }

    private String required(String name) {
      var text = text(name);
      return text == null ? "" : text;
    }
  }
}
