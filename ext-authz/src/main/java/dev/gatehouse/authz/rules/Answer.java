package dev.gatehouse.authz.rules;

/**
 * Whether a part of a rule holds. {@code UNSURE} is what a request says that servers read in different ways (a path with
 * {@code %2f}, a header with several values, an unknown address): an Allow rule takes it for no, a Deny rule for yes.
 */
enum Answer {
  YES,
  NO,
  UNSURE;

  /** For people. */
  String word() {
    return switch (this) {
      case YES -> "holds";
      case NO -> "does not hold";
      case UNSURE -> "unsure: servers may read this in different ways";
    };
  }

  static Answer of(boolean holds) {
    return holds ? YES : NO;
  }
}
