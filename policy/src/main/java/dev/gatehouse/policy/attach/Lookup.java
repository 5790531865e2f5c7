package dev.gatehouse.policy.attach;

/** The answer to "which plan holds for this request?". */
public sealed interface Lookup<P> {
  record Found<P>(P plan) implements Lookup<P> {}

  /** The request carries no binding at all. */
  record Unbound<P>() implements Lookup<P> {}

  /** A binding that resolves to nothing, or to several plans: never falls through to another way. */
  record Unresolved<P>(String why) implements Lookup<P> {}
}
