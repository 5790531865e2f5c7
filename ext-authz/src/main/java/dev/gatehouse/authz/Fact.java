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

  /** Work that a method asked for; what comes of it the method remembers. */
  record Work(Runnable work) implements Fact {}
}
