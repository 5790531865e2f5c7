package dev.gatehouse.authz.jwt;

import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** Keys that a policy or a ConfigMap holds. */
record LocalKeys(Keys.Known known) implements KeySource {
  @Override
  public Keys keys(Instant now) {
    return known;
  }

  @Override
  public OnUnknownKid onUnknownKid(KeySet looked, CompactJws token, Instant now) {
    return OnUnknownKid.REFUSE;
  }

  @Override
  public CompletableFuture<Void> fetch() {
    return CompletableFuture.completedFuture(null);
  }
}
