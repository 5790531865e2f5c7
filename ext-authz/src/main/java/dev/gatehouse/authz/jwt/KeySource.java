package dev.gatehouse.authz.jwt;

import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** Where a provider's keys come from. Asking what is known never blocks. Thread-safe. */
public sealed interface KeySource permits LocalKeys, RemoteKeys {
  Keys keys(Instant now);

  /**
   * What to do about a token whose {@code kid} the known set has not.
   *
   * @param looked the set that was looked at
   * @param token may also be one without a {@code kid}, if the set has no key for its algorithm
   */
  OnUnknownKid onUnknownKid(KeySet looked, CompactJws token, Instant now);

  /**
   * Asks for the keys, together with whoever asks at the same time. Completes when that is over, whatever came of it, never
   * exceptionally, and on any thread.
   */
  CompletableFuture<Void> fetch();

  /** What a {@code kid} that the known set has not means. */
  enum OnUnknownKid {
    /** The keys may have been rotated: fetch and look again. */
    FETCH,
    /** It was asked about, and a later look did not find it: nobody's key. */
    REFUSE,
    /** It was not looked for since it was asked about, and it is too early to look: nobody can say. */
    UNSURE
  }
}
