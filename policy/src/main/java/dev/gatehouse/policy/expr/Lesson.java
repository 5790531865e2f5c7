package dev.gatehouse.policy.expr;

import com.google.re2j.Pattern;
import dev.cel.common.CelErrorCode;
import dev.gatehouse.policy.resource.Shown;
import java.util.List;
import java.util.Locale;
import java.util.Set;

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
          "a name with a dash cannot stand behind a dot (write request.headers['x-a'])"),
      new Known("mismatched input '<EOF>'", "something is missing at its end"),
      new Known("extraneous input '<EOF>'", "something is missing at its end"));

  private static final Pattern UNEXPECTED =
      Pattern.compile("(?:extraneous|mismatched) input '(.*)' expecting .*");

  /** The operator or function, what it was given, and what it takes. */
  private static final Pattern NO_OVERLOAD = Pattern.compile(
      "found no matching overload for '(.+)' applied to '(.*)' \\(candidates: (.*)\\)");

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private Lesson() {}

  /** Of a function that CEL does not have. */
  static String noFunction(String name) {
    var meant = Shown.closest(name, Vocabulary.FUNCTIONS);
    return "there is no function \"" + name + "\""
        + (meant == null ? "" : " (did you mean \"" + meant + "\"?)");
  }

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
    var unexpected = UNEXPECTED.matcher(complaint);
    if (unexpected.matches()) {
      return "`" + unexpected.group(1) + "` is not expected here";
    }
    var overload = NO_OVERLOAD.matcher(complaint);
    return overload.matches()
        ? typesDiffer(overload.group(1), overload.group(2), overload.group(3))
        : complaint;
  }

  /** CEL calls an operator by its place between its operands: {@code _==_}. */
  private static String typesDiffer(String name, String given, String candidates) {
    var operator = name.replace("_", "").replace("@", "");
    var complaint = "`" + operator + "` does not go with " + given;
    if (COMPARISONS.contains(operator)) {
      return complaint
          + ": compare what is of one type, such as a number with 1 and a text with '1'";
    }
    return name.equals(operator) ? complaint + " (expected: " + candidates + ")" : complaint;
  }
}
