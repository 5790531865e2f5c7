package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.KeySource;
import dev.gatehouse.authz.jwt.UnverifiedToken;
import dev.gatehouse.authz.jwt.VerificationKey;
import dev.gatehouse.authz.jwt.Verifier;
import java.util.List;

/** Something that a decision needs and that takes too long to find out on an event loop. */
sealed interface Fact {
  /** A provider's keys, or newer ones. */
  record KeysOf(KeySource source) implements Fact {}

  /** Whether one of the keys signed the token, where that takes long. */
  record Signature(Verifier verifier, UnverifiedToken token, List<VerificationKey> candidates)
      implements Fact {}

  /** Whether a certificate is good: some signatures. Whoever asked remembers the answer. */
  record Certificate(Runnable check) implements Fact {}

  /** Whether a password is right, where that takes long on purpose. Whoever asked remembers the answer. */
  record Password(Runnable check) implements Fact {}
}
