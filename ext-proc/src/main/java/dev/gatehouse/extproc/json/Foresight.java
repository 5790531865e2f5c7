package dev.gatehouse.extproc.json;

import java.util.Arrays;

/**
 * What one walk over a whole text has seen, for the next one over the same containers: which members an object has, for renames, and
 * which value a move takes. Objects are told apart by their place, the containers of a move by their order, which it does not change.
 */
final class Foresight {
  private final byte[] text;
  private boolean replays;

  private long[] seen = new long[16];
  private int[] places = new int[16];
  private int objects;
  private int[] openObjects = new int[8];

  private int[] begins = new int[16];
  private int[] ends = new int[16];
  private int containers;
  private boolean anything;

  Foresight(byte[] text) {
    this.text = text;
  }

  /** Begins from the first container again, now with what has been seen. */
  void replay() {
    replays = true;
    objects = 0;
    containers = 0;
  }

  /**
   * @param at its place in the text: what lies in a member that goes is not walked through again
   * @return what will be seen in this object, nothing while it is being found out
   */
  long objectOpens(int depth, int at) {
    if (replays) {
      while (places[objects] < at) {
        objects++;
      }
      return seen[objects];
    }
    if (depth >= openObjects.length) {
      openObjects = Arrays.copyOf(openObjects, 2 * depth);
    }
    if (objects == seen.length) {
      seen = Arrays.copyOf(seen, 2 * objects);
      places = Arrays.copyOf(places, 2 * objects);
    }
    openObjects[depth] = objects;
    places[objects] = at;
    seen[objects++] = 0;
    return 0;
  }

  void objectCloses(int depth, long members) {
    if (!replays) {
      seen[openObjects[depth]] = members;
    }
  }

  /** @return whether a value was found in this container */
  boolean containerOpens() {
    if (!replays && containers == begins.length) {
      begins = Arrays.copyOf(begins, 2 * containers);
      ends = Arrays.copyOf(ends, 2 * containers);
    }
    if (!replays) {
      begins[containers] = -1;
    }
    return begins[containers++] >= 0 || !replays;
  }

  void captureBegins(int at) {
    begins[containers - 1] = at;
    anything = true;
  }

  void captureEnds(int at) {
    ends[containers - 1] = at;
  }

  boolean anything() {
    return anything;
  }

  /** Writes the value that was found in this container. */
  void put(JsonSink out) throws UnprocessableBody {
    out.write(text, begins[containers - 1], ends[containers - 1]);
  }
}
