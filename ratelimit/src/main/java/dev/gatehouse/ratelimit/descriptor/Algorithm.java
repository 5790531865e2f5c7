package dev.gatehouse.ratelimit.descriptor;

/** How a limit counts. */
public enum Algorithm {
  /** One counter a window, as envoyproxy/ratelimit: exact in each window, and twice the limit may pass around a window's edge. */
  FIXED_WINDOW('f'),

  /**
   * Two counters, this window's and the last one's, the latter weighted by how much of it a window that ends now still covers: an
   * approximation, which takes the last window's requests as evenly spread.
   */
  SLIDING_WINDOW('s'),

  /** Tokens that come back at an even rate, up to the burst (GCRA): exact, and no edge to double up at. */
  TOKEN_BUCKET('t');

  private final char letter;

  Algorithm(char letter) {
    this.letter = letter;
  }

  /** Its sign in a limit's identity: what one algorithm has stored no other can read. */
  char letter() {
    return letter;
  }
}
