package dev.gatehouse.extproc.json;

import java.util.Arrays;

/**
 * How what has been read goes on: as ranges of the pieces, some left out and others put in. Where a member may go, it is held from the
 * comma before it until its name is known.
 */
final class JsonOutlet {
  /** How much a text may grow, beside thrice its length: what one {@code *} sets everywhere must not make gigabytes of a small body. */
  private static final int GROWTH = 1 << 20;

  private final JsonSink out;
  private final JsonTokens tokens;
  private final int mostHeld;
  private long written;

  /** Where the bytes begin that are to go on, in the piece at hand; -1 while what is read goes nowhere. */
  private int from;

  /** Whether the bytes from {@link #holdAt} on wait, behind those in {@link #held}, for a name that says whether they stay. */
  private boolean holds;

  private int holdAt;
  private byte[] held = new byte[0];
  private int heldLength;
  private int separatorLength;

  /** @param mostHeld bytes over a piece's end */
  JsonOutlet(JsonSink out, JsonTokens tokens, int mostHeld) {
    this.out = out;
    this.tokens = tokens;
    this.mostHeld = mostHeld;
  }

  void pieceBegins(int start) {
    if (from >= 0) {
      from = start;
      holdAt = start;
    }
  }

  void pieceEnds(byte[] in, int end) throws UnprocessableBody {
    if (from < 0) {
      return;
    }
    if (!holds) {
      passTo(in, end);
      return;
    }
    passTo(in, holdAt);
    int length = heldLength + end - holdAt;
    if (length > mostHeld) {
      throw new UnprocessableBody(
          "there are more than " + JsonWalk.MAX_HELD + " bytes of white space between two members");
    }
    if (length > held.length) {
      held = Arrays.copyOf(held, Math.max(length, 2 * held.length));
    }
    System.arraycopy(in, holdAt, held, heldLength, end - holdAt);
    heldLength = length;
  }

  /** What has been read up to here goes on, unless it is left out. */
  void passTo(byte[] in, int to) throws UnprocessableBody {
    if (from >= 0 && from < to) {
      write(in, from, to);
      from = to;
    }
  }

  /** What comes is left out, until it is said where the text goes on. */
  void leaveOut() {
    from = -1;
  }

  void goOnAt(int at) {
    from = at;
  }

  boolean leavesOut() {
    return from < 0;
  }

  void write(byte[] bytes, int start, int end) throws UnprocessableBody {
    if (start == end) {
      return;
    }
    written += end - start;
    if (written > 4 * tokens.received() + GROWTH) {
      throw new UnprocessableBody("the changed body would be too large");
    }
    out.write(bytes, start, end);
  }

  /** A child has ended; what comes before the next one belongs to that. */
  void childEnds(int at) {
    holds = true;
    holdAt = at;
  }

  boolean holds() {
    return holds;
  }

  /** From here on it depends on the child. */
  void childBegins(int at) {
    if (!holds) {
      holds = true;
      holdAt = at;
      if (from < 0) {
        from = at;
      }
    }
    separatorLength = heldLength + at - holdAt;
  }

  /** Before what is held, and here if nothing is: the end of a container's last child. */
  void passToHeld(byte[] in, int at) throws UnprocessableBody {
    passTo(in, holds ? holdAt : at);
  }

  /** What is held goes on. */
  void release() throws UnprocessableBody {
    if (heldLength > 0) {
      write(held, 0, heldLength);
      heldLength = 0;
    }
    holds = false;
  }

  /** What is held is left out, and what comes. */
  void drop(byte[] in) throws UnprocessableBody {
    passTo(in, holdAt);
    from = -1;
    heldLength = 0;
    holds = false;
  }

  /**
   * The child goes on under another name.
   *
   * @param at after its name
   */
  void rename(byte[] in, int at, byte[] name) throws UnprocessableBody {
    int early = Math.min(heldLength, separatorLength);
    if (early > 0) {
      write(held, 0, early);
    }
    passTo(in, holdAt + separatorLength - early);
    write(name, 0, name.length);
    heldLength = 0;
    holds = false;
    from = at;
  }
}
