package dev.gatehouse.policy.expr;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import org.jspecify.annotations.Nullable;

/** Compiles CEL when policies load; nothing is compiled while serving. */
public final class Expressions {
  private Expressions() {}

  /** A condition, or null with the problem said: a syntax error, a name that is not there in this place, a type that is not bool. */
  public static @Nullable Condition condition(
      String cel, Place place, Origin origin, String path, Problems problems) {
    throw new UnsupportedOperationException();
  }

  /** A template, or null with the problem said. A text without {@code ${} is a constant. */
  public static @Nullable Template template(
      String text, Place place, Origin origin, String path, Problems problems) {
    throw new UnsupportedOperationException();
  }
}
