package dev.gatehouse.cli.reference;

/** What becomes of a variable that is set. */
public sealed interface Honour {
  /** @param note how it differs, or the flag that says the same; empty if there is nothing to say */
  record Here(String note) implements Honour {}

  /** @param instead why not, or what to do instead */
  record No(String instead) implements Honour {}
}
