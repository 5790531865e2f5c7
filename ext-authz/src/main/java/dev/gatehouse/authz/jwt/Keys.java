package dev.gatehouse.authz.jwt;

/** What is known of a provider's keys right now. */
public sealed interface Keys {
  record Known(KeySet set) implements Keys {}

  /** Not there yet, and worth waiting for: {@link KeySource#fetch} brings them or the reason why not. */
  record Awaited() implements Keys {}

  /** They could not be had, and it is too early to ask again. */
  record Failed(String why) implements Keys {}
}
