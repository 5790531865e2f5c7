package dev.gatehouse.policy.expr;

import dev.cel.common.types.CelKind;
import dev.cel.common.values.NullValue;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compiles CEL when policies load; nothing is compiled while serving.
 *
 * <p>Beside CEL's standard functions there are {@code indexOf}, {@code lastIndexOf}, {@code lowerAscii}, {@code upperAscii},
 * {@code split}, {@code substring} and {@code trim}. The regular expression of {@code matches} is RE2's and must be a plain string.
 * An expression has at most 10,000 characters, and one evaluation at most 10,000 steps of {@code all}, {@code exists},
 * {@code exists_one}, {@code map} and {@code filter} together, and as much {@link Work} as its request may cost.
 */
public final class Expressions {
  private static final Set<CelKind> BOOL = EnumSet.of(CelKind.BOOL);
  private static final Set<CelKind> SCALAR =
      EnumSet.of(CelKind.STRING, CelKind.INT, CelKind.UINT, CelKind.DOUBLE, CelKind.BOOL);

  /** What {@code null} is to CEL, in a body's JSON. */
  public static final Object NULL = NullValue.NULL_VALUE;

  private Expressions() {}

  /** A condition, or null with the problem said: a syntax error, a name that is not there in this place, a type that is not bool. */
  public static @Nullable Condition condition(
      String cel, Place place, Origin origin, String path, Problems problems) {
    var expression = Expression.compile(cel, place, BOOL, "bool", origin, path, problems);
    return expression == null ? null : new CelCondition(expression);
  }

  /**
   * A template, or null with the problem said. A text without <code>${</code> is a constant; <code>$${</code> stands for <code>${</code> itself. What
   * an expression yields must be a string, a number (written without exponent) or a bool.
   */
  public static @Nullable Template template(
      String text, Place place, Origin origin, String path, Problems problems) {
    var errors = problems.errors();
    var parts = new ArrayList<CelTemplate.Part>();
    for (var part : TemplateText.parts(text, origin, path, problems)) {
      switch (part) {
        case TemplateText.Literal(var literal) -> parts.add(new CelTemplate.Literal(literal));
        case TemplateText.Code(var code) -> {
          var expression = Expression.compile(
              code, place, SCALAR, "string, number or bool", origin, path, problems);
          if (expression != null) {
            parts.add(new CelTemplate.Code(expression));
          }
        }
      }
    }
    return problems.errors() > errors ? null : CelTemplate.of(parts);
  }
}
