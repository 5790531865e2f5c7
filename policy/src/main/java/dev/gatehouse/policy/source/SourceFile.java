package dev.gatehouse.policy.source;

/** A file of a watched folder as it was found. */
public sealed interface SourceFile {
  /** As messages show it. */
  String name();

  record Text(String name, String text) implements SourceFile {}

  /** @param why in words for a user */
  record Unreadable(String name, String why) implements SourceFile {}
}
