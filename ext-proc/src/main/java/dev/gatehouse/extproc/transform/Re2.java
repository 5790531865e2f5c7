package dev.gatehouse.extproc.transform;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import org.jspecify.annotations.Nullable;

/** The regular expressions of steps, whose every search takes time in proportion to the text. */
final class Re2 {
  private Re2() {}

  /** Null with the problem said. */
  static @Nullable Pattern compile(String regex, Origin origin, String where, Problems problems) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      problems.error(
          origin,
          where,
          "not an RE2 expression: " + e.getMessage()
              + " (RE2 has no look-around and no back references)");
      return null;
    }
  }
}
