package dev.gatehouse.extproc.json;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How what has been read goes on: as ranges of the pieces, some left out and others put in. Where a member may go, it is held from the
 * comma before it until its name is known.
 */
final class JsonOutlet {
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

  /** The piece at hand, as long as not all of it has gone or is held; where it ends, and where what is left out of it begins. */
  private byte @Nullable [] piece;

  private int pieceEnd;
  private int leftOutAt;

  private boolean changed;

  /** @param mostHeld bytes over a piece's end */
  JsonOutlet(JsonSink out, JsonTokens tokens, int mostHeld) {
    this.out = out;
    this.tokens = tokens;
    this.mostHeld = mostHeld;
  }

  void pieceBegins(byte[] in, int start, int end) {
    piece = in;
    pieceEnd = end;
    leftOutAt = start;
    if (from >= 0) {
      from = start;
      holdAt = start;
    }
  }

  void pieceEnds(byte[] in, int end) throws UnprocessableBody {
    if (from < 0) {
      piece = null;
      return;
    }
    if (!holds) {
      passTo(in, end);
      piece = null;
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
    piece = null;
  }

  /**
   * When the text has turned out to be unprocessable: what of it has come and not gone on, as it came. What is being left out was
   * left out up to this piece. Another outlet that was just written to answers for all of what it was given.
   */
  void giveUp(JsonSink end) throws UnprocessableBody {
    end.write(held, 0, heldLength);
    if (piece != null) {
      end.write(piece, from < 0 ? leftOutAt : from, pieceEnd);
    }
  }

  /** Whether what went on is anything but what came. */
  boolean changed() {
    return changed;
  }

  /** What has been read up to here goes on, unless it is left out. */
  void passTo(byte[] in, int to) throws UnprocessableBody {
    if (from >= 0 && from < to) {
      int begin = from;
      grow(to - begin);
      from = to;
      out.write(in, begin, to);
    }
  }

  /** What comes is left out, until it is said where the text goes on. */
  void leaveOut() {
    if (from >= 0) {
      leftOutAt = from;
    }
    from = -1;
    changed = true;
  }

  void goOnAt(int at) {
    from = at;
  }

  boolean leavesOut() {
    return from < 0;
  }

  /** Puts in what did not come. */
  void write(byte[] bytes, int start, int end) throws UnprocessableBody {
    if (start == end) {
      return;
    }
    changed = true;
    grow(end - start);
    out.write(bytes, start, end);
  }

  private void grow(int bytes) throws UnprocessableBody {
    written += bytes;
    if (written > JsonEdits.most(tokens.received())) {
      throw JsonEdits.tooLarge();
    }
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
      int length = heldLength;
      grow(length);
      heldLength = 0;
      out.write(held, 0, length);
    }
    holds = false;
  }

  /** What is held is left out, and what comes. */
  void drop(byte[] in) throws UnprocessableBody {
    passTo(in, holdAt);
    leaveOut();
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
      var separator = Arrays.copyOf(held, early);
      grow(early);
      heldLength -= early;
      System.arraycopy(held, early, held, 0, heldLength);
      out.write(separator, 0, early);
    }
    passTo(in, holdAt + separatorLength - early);
    grow(name.length);
    heldLength = 0;
    holds = false;
    from = at;
    changed = true;
    out.write(name, 0, name.length);
  }
}
