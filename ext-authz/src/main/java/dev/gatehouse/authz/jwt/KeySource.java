package dev.gatehouse.authz.jwt;

import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** Where a provider's keys come from. Asking what is known never blocks. Thread-safe. */
public sealed interface KeySource permits LocalKeys, RemoteKeys {
  Keys keys(Instant now);

  /** What to do about a token whose {@code kid} the known set has not. */
  OnUnknownKid onUnknownKid(Instant now);

  /**
   * Asks for the keys, together with whoever asks at the same time. Completes when that is over, whatever came of it, never
   * exceptionally, and on any thread.
   */
  CompletableFuture<Void> fetch();

  /** What a {@code kid} that the known set has not means. */
  enum OnUnknownKid {
    /** The keys may have been rotated: fetch and look again. */
    FETCH,
    /** The set is as new as it may be: nobody's key. */
    REFUSE,
    /** The last attempt to look failed, and it is too early for another: nobody can say. */
    UNSURE
  }
}
