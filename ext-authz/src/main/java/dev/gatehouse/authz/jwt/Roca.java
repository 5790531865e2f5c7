package dev.gatehouse.authz.jwt;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Knows RSA keys of Infineon's library, whose primes are of so few that they can be found (CVE-2017-15361, ROCA).
 *
 * <p>Those primes are 65537ᵃ modulo M plus multiples of M, where M is the product of the first primes: 126 of them, up to 701, for
 * keys of 2048 bits, more for longer ones. So their modulus has a discrete logarithm to the base 65537 modulo each of these primes.
 * A random modulus has that once in 2¹⁶⁷ times.
 */
final class Roca {
  private static final int LAST_PRIME = 701;
  private static final List<Powers> ALL = all();

  private Roca() {}

  /** What is a power of 65537 modulo the prime. */
  private record Powers(int prime, BitSet residues) {}

  static boolean marks(BigInteger modulus) {
    for (var powers : ALL) {
      int residue = modulus.mod(BigInteger.valueOf(powers.prime)).intValue();
      if (!powers.residues.get(residue)) {
        return false;
      }
    }
    return true;
  }

  private static List<Powers> all() {
    var all = new ArrayList<Powers>();
    for (int prime = 3; prime <= LAST_PRIME; prime += 2) {
      if (BigInteger.valueOf(prime).isProbablePrime(50)) {
        var residues = new BitSet(prime);
        for (int power = 1; !residues.get(power); power = power * (65537 % prime) % prime) {
          residues.set(power);
        }
        all.add(new Powers(prime, residues));
      }
    }
    return List.copyOf(all);
  }
}
