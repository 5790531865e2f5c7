package dev.gatehouse.authz;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A credential that was found good in front of one policy, and what it grants there when it is the only one. */
final class Proof implements Method.Attempt {
  private final Identity who;
  private volatile @Nullable Grant alone;

  Proof(Identity who) {
    this.who = who;
  }

  Identity who() {
    return who;
  }

  /** @param guard the one whose method found it good */
  Grant alone(Guard guard) {
    var grant = alone;
    if (grant == null) {
      grant = Grant.of(guard, List.of(who));
      alone = grant; // two threads may lose each other's: equal
    }
    return grant;
  }
}
