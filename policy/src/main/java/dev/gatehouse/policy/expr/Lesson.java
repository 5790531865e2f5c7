package dev.gatehouse.policy.expr;

import dev.cel.common.CelErrorCode;
import java.util.List;
import java.util.Locale;

/** What CEL's compiler complains of, in words that say how to write it: of the mistakes that people make who know other languages. */
final class Lesson {
  private record Known(String complaint, String lesson) {}

  private static final List<Known> ALL = List.of(
      new Known("token recognition error at: '=", "`=` is no operator (to compare write ==)"),
      new Known("mismatched input 'and'", "`and` is no operator (write &&)"),
      new Known("mismatched input 'or'", "`or` is no operator (write ||)"),
      new Known(
          "invalid argument to has() macro",
          "has() wants a name behind a dot, such as has(auth.sub) (for a header write 'x-a' in request.headers)"),
      new Known(
          "found no matching overload for '_-_' applied to '(string, *error*)'",
          "a name with a dash cannot stand behind a dot (write request.headers['x-a'])"));

  private Lesson() {}

  /** Why an expression cannot be evaluated, without the values that it met. */
  static String of(CelErrorCode code) {
    return switch (code) {
      case ATTRIBUTE_NOT_FOUND -> "it names what is not there (ask has() or in before)";
      case OVERLOAD_NOT_FOUND -> "a value is not of the type that it needs";
      default -> code.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    };
  }

  /** The compiler's own words where nothing is better. */
  static String of(String complaint) {
    for (var known : ALL) {
      if (complaint.startsWith(known.complaint)) {
        return known.lesson;
      }
    }
    return complaint;
  }
}
