package dev.gatehouse.policy.expr;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes a template apart at <code>${</code> … <code>}</code>. The expression ends at the brace that closes it: braces of maps inside it
 * are counted, and those in CEL's strings are not.
 */
final class TemplateText {
  sealed interface Part {}

  record Literal(String text) implements Part {}

  record Code(String text) implements Part {}

  private final String text;
  private final List<Part> parts = new ArrayList<>();
  private final StringBuilder literal = new StringBuilder();

  private TemplateText(String text) {
    this.text = text;
  }

  static List<Part> parts(String text, Origin origin, String path, Problems problems) {
    return new TemplateText(text).read(origin, path, problems);
  }

  private List<Part> read(Origin origin, String path, Problems problems) {
    int i = 0;
    while (i < text.length()) {
      if (text.startsWith("$${", i)) {
        literal.append("${");
        i += 3;
      } else if (text.startsWith("${", i)) {
        int end = closing(i + 2);
        if (end < 0) {
          problems.error(
              origin,
              path,
              "the ${ in column %d of \"%s\" is not closed (expected a }; write $${ for a plain ${)"
                  .formatted(i + 1, text));
          return List.of();
        }
        addLiteral();
        parts.add(new Code(text.substring(i + 2, end)));
        i = end + 1;
      } else {
        literal.append(text.charAt(i++));
      }
    }
    addLiteral();
    return parts;
  }

  private void addLiteral() {
    if (!literal.isEmpty()) {
      parts.add(new Literal(literal.toString()));
      literal.setLength(0);
    }
  }

  /** Where the brace is that closes an expression; -1 when there is none. */
  private int closing(int from) {
    int open = 0;
    for (int i = from; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case '{' -> open++;
        case '}' -> {
          if (open-- == 0) {
            return i;
          }
        }
        case '"', '\'' -> {
          i = endOfString(i);
          if (i < 0) {
            return -1;
          }
        }
        default -> {}
      }
    }
    return -1;
  }

  /** The last quote of CEL's string that begins here: plain or three quotes; in a raw one a backslash is a backslash. */
  private int endOfString(int start) {
    var quote = text.substring(start, start + 1);
    var delimiter = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
    var raw = raw(start);
    for (int i = start + delimiter.length(); i < text.length(); i++) {
      if (!raw && text.charAt(i) == '\\') {
        i++;
      } else if (text.startsWith(delimiter, i)) {
        return i + delimiter.length() - 1;
      }
    }
    return -1;
  }

  /** Prefixed by {@code r}, with {@code b} before or behind it. */
  private boolean raw(int quote) {
    for (int i = quote - 1; i >= 0 && i >= quote - 2; i--) {
      switch (text.charAt(i)) {
        case 'r', 'R' -> {
          return true;
        }
        case 'b', 'B' -> {}
        default -> {
          return false;
        }
      }
    }
    return false;
  }
}
