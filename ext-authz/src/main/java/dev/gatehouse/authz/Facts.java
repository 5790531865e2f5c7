package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.authz.jwt.UnverifiedToken;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was found out for one decision so far. Immutable. Keys are not here, nor is what a method remembers: they know themselves. */
final class Facts {
  static final Facts NONE = new Facts(Map.of(), null);

  private final Map<Verifier, Signed> signatures;
  private final @Nullable UnverifiedToken token;

  private Facts(Map<Verifier, Signed> signatures, @Nullable UnverifiedToken token) {
    this.signatures = signatures;
    this.token = token;
  }

  /** What became of a signature check: one of the two is there. */
  record Signed(@Nullable VerifiedToken token, @Nullable BadToken refused) {}

  /** What this verifier said of the request's token; null if it was not asked. */
  @Nullable
  Signed by(Verifier verifier) {
    return signatures.get(verifier);
  }

  /** The request's token, where it was read already; nobody vouches for it. */
  @Nullable
  UnverifiedToken token() {
    return token;
  }

  /** @param token which the verifier was asked about */
  static Facts of(UnverifiedToken token, Verifier verifier, Signed signed) {
    return new Facts(Map.of(verifier, signed), token);
  }

  /** Both; of the same verifier the other's. */
  Facts and(Facts other) {
    if (signatures.isEmpty()) {
      return other;
    }
    if (other.signatures.isEmpty()) {
      return this;
    }
    var all = new HashMap<>(signatures);
    all.putAll(other.signatures);
    return new Facts(Map.copyOf(all), token);
  }
}
