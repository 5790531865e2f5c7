package dev.gatehouse.policy.source;

/** The plan in force. A request reads it once; one volatile read. */
public final class Live<P> {
  private volatile P current;

  /** Tests and benchmarks; services get theirs from {@link PolicySource#live}. */
  public Live(P first) {
    this.current = first;
  }

  public P current() {
    return current;
  }

  void swap(P next) {
    current = next;
  }
}
