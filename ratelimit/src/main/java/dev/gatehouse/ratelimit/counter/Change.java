package dev.gatehouse.ratelimit.counter;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Several cells that change at once, or none of them: a compare-and-set of many words. Nobody waits: whoever meets a change that is not
 * done brings it to its end, on any thread, and it makes no difference how often that is done.
 *
 * <p>Why it is exact. The change joins each cell that still stands at the value which it was computed from, and a cell that it has joined
 * stays so until the change is decided. Whoever has seen it join all of them sets {@code DONE}, whoever sees one that stands at something
 * else sets {@code VOID}: the first word counts, and at that moment all change, for every value is read through the change. A helper that
 * was asleep and joins a cell after that does no harm: it can only if the cell stands at {@code before}, and since values are told apart by
 * identity and never come back, that means that the change has left the cell at {@code before}, to which it will leave it again. Cells are
 * joined in one order, so that of two changes which meet one can always go on.
 */
final class Change {
  private static final int OPEN = 0;
  private static final int DONE = 1;
  private static final int VOID = 2;

  private final Cell[] cells;
  private final Value[] before;
  private final Value[] after;
  private final AtomicInteger outcome = new AtomicInteger(OPEN);

  /** @param after equal to {@code before}, the same object, where a cell is only to stand still meanwhile */
  Change(Cell[] cells, Value[] before, Value[] after) {
    this.cells = cells;
    this.before = before;
    this.after = after;
    sort();
  }

  /** There are few. */
  private void sort() {
    for (int i = 1; i < cells.length; i++) {
      for (int j = i; j > 0 && cells[j].comesBefore(cells[j - 1]); j--) {
        swap(cells, j);
        swap(before, j);
        swap(after, j);
      }
    }
  }

  private static void swap(Object[] all, int j) {
    var one = all[j];
    all[j] = all[j - 1];
    all[j - 1] = one;
  }

  /** @return whether all have changed; else none has */
  boolean finish() {
    if (outcome.get() == OPEN) {
      outcome.compareAndSet(OPEN, joinsAll() ? DONE : VOID);
    }
    boolean done = outcome.get() == DONE;
    for (int i = 0; i < cells.length; i++) {
      cells[i].leave(this, done ? after[i] : before[i]);
    }
    return done;
  }

  private boolean joinsAll() {
    for (int i = 0; i < cells.length; i++) {
      if (!cells[i].join(before[i], this)) {
        return false;
      }
    }
    return true;
  }
}
