package dev.gatehouse.policy.source;

/** The plan in force. A request reads it once; one volatile read. */
public final class Live<P> {
  private volatile P current;

  /** Plans of policies come from {@link PolicySource#live}; this is for what has another source, tests, and benchmarks. */
  public Live(P first) {
    this.current = first;
  }

  public P current() {
    return current;
  }

  /** Puts the next one in force. Only who made this may do so. */
  public void swap(P next) {
    current = next;
  }
}
