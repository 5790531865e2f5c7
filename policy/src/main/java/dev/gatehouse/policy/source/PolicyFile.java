package dev.gatehouse.policy.source;

/** A file of a policy folder as it was found. */
sealed interface PolicyFile {
  /** As messages show it. */
  String name();

  record Text(String name, String text) implements PolicyFile {}

  /** @param why in words for a user */
  record Unreadable(String name, String why) implements PolicyFile {}
}
