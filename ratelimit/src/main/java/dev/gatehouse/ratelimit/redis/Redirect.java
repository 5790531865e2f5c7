package dev.gatehouse.ratelimit.redis;

import io.lettuce.core.cluster.SlotHash;
import org.jspecify.annotations.Nullable;

/**
 * A cluster's node says that another one holds a slot: {@code MOVED 3999 127.0.0.1:6381} from now on, {@code ASK 3999 127.0.0.1:6381} for
 * this one command, while the slot is on its way there.
 *
 * @param host empty if it is that of the node which says so
 */
record Redirect(boolean asking, int slot, String host, int port) {
  private static final String ASK = "ASK ";
  private static final String MOVED = "MOVED ";
  private static final int MAX_PORT = 65_535;

  /** @return null if the error is another */
  static @Nullable Redirect parse(String error) {
    boolean asking = error.startsWith(ASK);
    if (!asking && !error.startsWith(MOVED)) {
      return null;
    }
    var words = error.split(" ");
    int colon = words.length == 3 ? words[2].lastIndexOf(':') : -1;
    if (colon < 0) {
      return null;
    }
    try {
      int slot = Integer.parseInt(words[1]);
      int port = Integer.parseInt(words[2].substring(colon + 1));
      return slot < 0 || slot >= SlotHash.SLOT_COUNT || port < 1 || port > MAX_PORT
          ? null
          : new Redirect(asking, slot, words[2].substring(0, colon), port);
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
