package dev.gatehouse.policy.expr;

/**
 * What the evaluation that runs on this thread may cost still, in units of roughly an item or a character. CEL bounds the steps of a loop, but not
 * what one step costs, which is what a client makes of it: a list to look through, a text to split. All that takes time by the length of
 * what it looks at spends of this first, and an evaluation that has nothing left ends there and then.
 */
public final class Work {
  /** For an event loop: 5 to 30 ms, measured with what costs most a unit. */
  public static final long QUICK = 2_000_000;

  /** For a worker, which looks at bodies of megabytes: about a second. */
  public static final long SLOW = 500_000_000;

  /** Units between two looks at whether anybody waits still. */
  private static final long LOOK = 10_000;

  private static final ThreadLocal<Work> HERE = ThreadLocal.withInitial(Work::new);

  private long left;
  private long look;
  private long call;

  private Work() {}

  /** No exception: CEL takes what is thrown in one arm of {@code ||} for less than what holds in the other, and would go on. */
  static final class Spent extends Error {
    private static final long serialVersionUID = 1;
    private final String why;

    private Spent(String why) {
      super(why, null, false, false);
      this.why = why;
    }

    String why() {
      return why;
    }
  }

  /** An evaluation begins. */
  static Work begin(long units) {
    var work = HERE.get();
    work.left = units;
    work.look = units;
    work.call = 0;
    return work;
  }

  /** A function is about to be called by the evaluation that runs on this thread. */
  static void call(long units) {
    var work = HERE.get();
    work.take(units + work.call);
  }

  /** Beside what it looks at itself a call costs so much: what CEL does to hand it what a loop has come to. */
  void eachCall(long units) {
    call = units;
  }

  void take(long units) {
    left -= units;
    if (left < look) {
      look();
    }
  }

  private void look() {
    if (left < 0) {
      throw new Spent("it costs too much over what was sent");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new Spent("nobody waits for it any more");
    }
    look = left - LOOK;
  }
}
