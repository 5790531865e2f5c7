package dev.gatehouse.bench;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Random;

/**
 * An RSA key of 2048 bits that signs some thirty times as fast as others, and whose signatures cost as much to check: it has many
 * small primes (RFC 8017 §3.2, multi-prime RSA), so that a signature is some exponentiations of one machine word. Anybody can
 * find such primes: it guards nothing, it makes the millions of tokens that a load needs. Thread-safe.
 */
final class QuickKey {
  private static final int BITS = 2048;
  private static final int PRIMES = 33;
  private static final BigInteger EXPONENT = BigInteger.valueOf(65537);

  /** RFC 8017 §9.2: the DER before a SHA-256. */
  private static final byte[] SHA256_PREFIX =
      HexFormat.of().parseHex("3031300d060960864801650304020105000420");

  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final BigInteger modulus;
  private final Part[] parts = new Part[PRIMES];

  QuickKey() {
    var random = new Random();
    var product = BigInteger.ONE;
    var primes = new BigInteger[PRIMES];
    for (int i = 0; i < PRIMES - 1; i++) {
      primes[i] = prime(new BigInteger(61, random).setBit(62), product);
      product = product.multiply(primes[i]);
    }
    // The last one makes the product as long as it has to be.
    var half = BigInteger.ONE.shiftLeft(BITS - 1).add(BigInteger.ONE.shiftLeft(BITS - 2));
    primes[PRIMES - 1] = prime(half.divide(product), product);
    modulus = product.multiply(primes[PRIMES - 1]);
    if (modulus.bitLength() != BITS) {
      throw new IllegalStateException("a modulus of " + modulus.bitLength() + " bits");
    }
    for (int i = 0; i < PRIMES; i++) {
      parts[i] = Part.of(primes[i], modulus);
    }
  }

  /** The next prime whose Euler function the exponent has an inverse in, and which is not in the product yet. */
  private static BigInteger prime(BigInteger from, BigInteger product) {
    var prime = from.nextProbablePrime();
    while (prime.subtract(BigInteger.ONE).mod(EXPONENT).signum() == 0
        || product.mod(prime).signum() == 0) {
      prime = prime.nextProbablePrime();
    }
    return prime;
  }

  /** The public key as a JWK set. */
  String jwks(String kid) {
    return "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"" + kid
        + "\",\"alg\":\"RS256\",\"use\":\"sig\",\"n\":\"" + unsigned(modulus) + "\",\"e\":\""
        + unsigned(EXPONENT) + "\"}]}";
  }

  /** A compact JWS (RFC 7515 §3.1) by RS256. */
  String sign(String header, String claims) {
    var signed = encode(header.getBytes(StandardCharsets.UTF_8)) + "."
        + encode(claims.getBytes(StandardCharsets.UTF_8));
    return signed + "." + encode(signature(signed.getBytes(StandardCharsets.US_ASCII)));
  }

  /** RFC 8017 §8.2.1, RSASSA-PKCS1-v1_5. */
  private byte[] signature(byte[] signed) {
    var hash = new BigInteger(1, sha256(signed));
    var sum = BigInteger.ZERO;
    for (var part : parts) {
      sum = sum.add(part.term(hash));
    }
    var number = sum.mod(modulus).toByteArray();
    var signature = new byte[BITS / 8];
    int length = Math.min(number.length, signature.length);
    System.arraycopy(number, number.length - length, signature, signature.length - length, length);
    return signature;
  }

  /**
   * What one prime adds to a signature (Chinese remainder theorem).
   *
   * @param padding the padded message's value at the prime, with zeros for a hash
   * @param inverse minus the prime's inverse to 2^64, for Montgomery's multiplication
   * @param square 2^128 at the prime
   * @param coefficient 1 at the prime and 0 at all the others
   */
  private record Part(
      BigInteger prime,
      long p,
      BigInteger padding,
      long exponent,
      long inverse,
      long square,
      BigInteger coefficient) {

    static Part of(BigInteger prime, BigInteger modulus) {
      var others = modulus.divide(prime);
      var word = BigInteger.ONE.shiftLeft(64);
      return new Part(
          prime,
          prime.longValueExact(),
          padded().mod(prime),
          EXPONENT.modInverse(prime.subtract(BigInteger.ONE)).longValueExact(),
          word.subtract(prime.modInverse(word)).longValue(),
          BigInteger.ONE.shiftLeft(128).mod(prime).longValueExact(),
          others.multiply(others.modInverse(prime)));
    }

    BigInteger term(BigInteger hash) {
      long base = times(padding.add(hash).mod(prime).longValueExact(), square);
      long power = times(1, square);
      for (int bit = 63 - Long.numberOfLeadingZeros(exponent); bit >= 0; bit--) {
        power = times(power, power);
        if ((exponent >>> bit & 1) == 1) {
          power = times(power, base);
        }
      }
      return coefficient.multiply(BigInteger.valueOf(times(power, 1)));
    }

    /** Montgomery's product of two numbers below the prime, which is below 2^63: the sum is below twice that. */
    private long times(long a, long b) {
      long low = a * b;
      long high = Math.unsignedMultiplyHigh(a, b);
      long sum = high + Math.unsignedMultiplyHigh(low * inverse, p) + (low == 0 ? 0 : 1);
      return Long.compareUnsigned(sum, p) >= 0 ? sum - p : sum;
    }

    /** RFC 8017 §9.2, EMSA-PKCS1-v1_5, with zeros for the hash. */
    private static BigInteger padded() {
      var padded = new byte[BITS / 8];
      int prefixAt = padded.length - 32 - SHA256_PREFIX.length;
      Arrays.fill(padded, 2, prefixAt - 1, (byte) 0xff);
      padded[1] = 1;
      System.arraycopy(SHA256_PREFIX, 0, padded, prefixAt, SHA256_PREFIX.length);
      return new BigInteger(1, padded);
    }
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static String unsigned(BigInteger number) {
    var bytes = number.toByteArray();
    return encode(Arrays.copyOfRange(bytes, bytes[0] == 0 ? 1 : 0, bytes.length));
  }

  private static String encode(byte[] bytes) {
    return BASE64.encodeToString(bytes);
  }
}
