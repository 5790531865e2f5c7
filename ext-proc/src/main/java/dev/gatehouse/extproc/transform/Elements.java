package dev.gatehouse.extproc.transform;

import java.util.ArrayList;
import java.util.Iterator;

/**
 * A list of a body's, whose search ends when nobody waits for it any more. CEL bounds the steps of {@code exists} and the like, but
 * {@code x in list} is one step however long the list is, so that ten thousand of them over a long one take a minute.
 */
final class Elements extends ArrayList<Object> {
  private static final long serialVersionUID = 1;

  /** Between two looks at whether the thread is interrupted. */
  private static final int LOOK = 4096;

  @Override
  public boolean contains(Object wanted) {
    return indexOf(wanted) >= 0;
  }

  @Override
  public int indexOf(Object wanted) {
    var size = size();
    for (var i = 0; i < size; i++) {
      look(i);
      if (get(i).equals(wanted)) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public Iterator<Object> iterator() {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < size();
      }

      @Override
      public Object next() {
        look(next);
        return get(next++);
      }
    };
  }

  private static void look(int at) {
    if (at % LOOK == 0 && Thread.currentThread().isInterrupted()) {
      throw new BoundedText.GivenUp("nobody waits for it any more");
    }
  }
}
