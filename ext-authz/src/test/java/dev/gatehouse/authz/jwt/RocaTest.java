package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPublicKey;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RocaTest {
  private static final BigInteger GENERATOR = BigInteger.valueOf(65537);

  /** Of the primes up to 701. */
  private static final BigInteger PRODUCT = IntStream.rangeClosed(2, 701)
      .mapToObj(BigInteger::valueOf)
      .filter(n -> n.isProbablePrime(20))
      .reduce(BigInteger.ONE, BigInteger::multiply);

  @Test
  void a_modulus_of_infineons_primes_is_marked() {
    assertThat(Roca.marks(vulnerable())).isTrue();
  }

  @Test
  void one_of_its_primes_alone_is_not_enough() {
    var random = new Random(7);
    var modulus = prime(random).multiply(BigInteger.probablePrime(1024, random));
    assertThat(Roca.marks(modulus)).isFalse();
  }

  @Test
  void a_fresh_key_is_not() throws Exception {
    var generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    for (int i = 0; i < 2; i++) {
      var key = (RSAPublicKey) generator.generateKeyPair().getPublic();
      assertThat(Roca.marks(key.getModulus())).as(key.getModulus().toString(16)).isFalse();
    }
    var random = new Random(42);
    for (int i = 0; i < 2_000; i++) {
      var modulus = new BigInteger(2048, random).setBit(0).setBit(2047);
      assertThat(Roca.marks(modulus)).as(modulus.toString(16)).isFalse();
    }
  }

  /** A 2048-bit modulus as Infineon's library made them. */
  static BigInteger vulnerable() {
    var random = new Random(1);
    return prime(random).multiply(prime(random));
  }

  /** k·M + 65537ᵃ mod M, of 1024 bits. */
  private static BigInteger prime(Random random) {
    while (true) {
      var residue = GENERATOR.modPow(new BigInteger(200, random), PRODUCT);
      var candidate = new BigInteger(1024 - PRODUCT.bitLength() + 1, random)
          .multiply(PRODUCT)
          .add(residue);
      // The two bits on top: the product of two such has 2048.
      if (candidate.shiftRight(1022).intValue() == 3 && candidate.isProbablePrime(20)) {
        return candidate;
      }
    }
  }
}
