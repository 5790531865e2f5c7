package dev.gatehouse.extproc.transform;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;

/**
 * A text to be searched that lets no more of it be read than is reasonable. One search of RE2/J takes linear time, but finding all that
 * there is takes as many searches as are found, and each may look through to the end and take little of it: {@code <a>.*?</a>|<a>}
 * over a text of {@code <a>} alone is quadratic. RE2/J cannot be stopped in any other way: it throws out of a search, and ends one
 * whose thread is interrupted.
 */
final class BoundedText implements CharSequence {
  /** Between two looks at whether the thread is interrupted, in characters read. */
  private static final int LOOK = 4096;

  private final String text;
  private long left;

  /** The text was read as often as it may be, or nobody waits any more. */
  static final class GivenUp extends RuntimeException {
    private static final long serialVersionUID = 1;

    GivenUp(String why) {
      super(why, null, false, false);
    }
  }

  /** @param reads how many characters may be read, each time that one is */
  private BoundedText(String text, long reads) {
    this.text = text;
    this.left = reads;
  }

  /**
   * Finds in a text; each search may throw {@link GivenUp}.
   *
   * @param times how often all of the text may be read
   * @param more characters that may be read beside it, since much of a short text is soon read
   */
  static Matcher matcher(Pattern regex, String text, int times, int more) {
    return regex.matcher(new BoundedText(text, (long) times * text.length() + more));
  }

  @Override
  public char charAt(int index) {
    if (--left % LOOK == 0) {
      look();
    }
    return text.charAt(index);
  }

  private void look() {
    if (left <= 0) {
      throw new GivenUp("it takes too long to find all that the regular expression matches");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new GivenUp("nobody waits for it any more");
    }
  }

  @Override
  public int length() {
    return text.length();
  }

  /** What was found, which costs nothing of what may be read. */
  @Override
  public String subSequence(int start, int end) {
    return text.substring(start, end);
  }

  @Override
  public String toString() {
    return text;
  }
}
