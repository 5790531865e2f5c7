package dev.gatehouse.extproc.json;

import java.util.List;

/**
 * The {@link JsonEdits} of one text that comes in pieces, which may end anywhere. What a piece decides has been written when
 * {@link #feed} returns; what is remembered beyond it is bounded by the depth (at most 512 levels) and the edits, not by the text.
 *
 * <p>A text that is found to be unprocessable has gone on in part by then. Nothing may be fed after that; {@link #giveUp} says the
 * rest.
 */
public final class JsonSplicer {
  private final List<JsonWalk> walks;
  private final JsonSink first;

  JsonSplicer(List<JsonWalk> walks, JsonSink first) {
    this.walks = walks;
    this.first = first;
  }

  /** @param piece only lent: it is neither kept nor changed */
  public void feed(byte[] piece, int from, int to) throws UnprocessableBody {
    if (from < to) {
      first.write(piece, from, to);
    }
  }

  /**
   * When the text has turned out to be unprocessable, here or in what this one writes to: writes what was fed and has not gone on, as
   * it came. What edits have left out or replaced before the piece at hand stays so. Where several stand in a row, the one that
   * writes last gives up first.
   */
  public void giveUp(JsonSink end) throws UnprocessableBody {
    for (var walk : walks.reversed()) {
      walk.giveUp(end);
    }
  }

  /** Whether anything has gone on otherwise than it came. */
  public boolean changed() {
    for (var walk : walks) {
      if (walk.changed()) {
        return true;
      }
    }
    return false;
  }

  /** @throws UnprocessableBody if the text is not complete; there is exactly one in a body, so that lines of JSON are refused */
  public void finish() throws UnprocessableBody {
    for (var walk : walks) {
      walk.finish();
    }
  }
}
