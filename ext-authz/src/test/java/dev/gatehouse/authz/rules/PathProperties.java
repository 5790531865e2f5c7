package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.StringMatch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What holds for any condition and any path: where the condition says YES or NO, every upstream that reads paths in a lenient way of
 * its own comes to the same answer; else it says that it is unsure.
 */
final class PathProperties {
  /** Each has been somebody's advisory. What they make of a path is decoded. */
  private static final List<UnaryOperator<String>> UPSTREAMS = List.of(
      PathProperties::decoded,
      path -> resolved(decoded(path)),
      path -> decoded(resolved(path)),
      path -> resolved(decoded(resolved(path).replace("//", "/"))), // slashes merged but once
      path -> resolved(decoded(withoutParameters(path))), // servlet containers
      path -> resolved(withoutParameters(decoded(path))),
      path -> resolved(decoded(decoded(path))), // a proxy in between that decodes too
      path -> resolved(decoded(path.replace('\\', '/'))),
      path -> resolved(decoded(path).replace('\\', '/')),
      path -> decoded(before(path, '#')),
      path -> before(before(decoded(path), '?'), '#'),
      path -> before(decoded(path), '\0'), // C strings
      path -> decoded(path.strip()),
      path -> resolved(overlong(path)));

  private PathProperties() {}

  /**
   * @param input {@code E}, {@code P} or {@code R} (or in small letters, where the path must not be that), the condition's value, a
   *     line break and the path
   * @throws AssertionError saying what does not hold
   */
  static void hold(byte[] input) {
    var lines = new String(input, StandardCharsets.UTF_8).split("\n", 2);
    if (lines.length < 2 || lines[0].isEmpty()) {
      return;
    }
    var value = lines[0].substring(1);
    var path = lines[1];
    boolean inverted = Character.isLowerCase(lines[0].charAt(0));
    var type = switch (Character.toUpperCase(lines[0].charAt(0))) {
      case 'E' -> StringMatch.Type.EXACT;
      case 'P' -> StringMatch.Type.PATH_PREFIX;
      default -> StringMatch.Type.REGULAR_EXPRESSION;
    };
    boolean regex = type == StringMatch.Type.REGULAR_EXPRESSION;
    if (value.length() > 256 || (regex && !compiles(value))) {
      return;
    }
    var answer = PathCondition.of(new StringMatch(type, value), inverted).holds(path);
    if (answer == Answer.UNSURE) {
      return;
    }
    assertThat(path).startsWith("/");
    boolean yes = inverted != (answer == Answer.YES);
    for (int i = 0; i < UPSTREAMS.size(); i++) {
      var read = UPSTREAMS.get(i).apply(path);
      boolean same = switch (type) {
        case EXACT -> read.equals(decoded(value));
        case PATH_PREFIX -> (read + "/").startsWith(chopped(decoded(value)) + "/");
        case REGULAR_EXPRESSION -> Pattern.compile(value).matches(read);
        case DISTINCT -> throw new AssertionError("not a path's");
      };
      assertThat(same)
          .as(
              "%s \"%s\" says %s of \"%s\", which upstream %d reads as \"%s\"",
              type, value, answer, path, i, read)
          .isEqualTo(yes);
    }
  }

  private static boolean compiles(String regex) {
    try {
      Pattern.compile(regex);
      return true;
    } catch (PatternSyntaxException _) {
      return false;
    }
  }

  private static String chopped(String prefix) {
    return prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
  }

  /** Percent-escapes as UTF-8, wrong ones kept. */
  private static String decoded(String path) {
    return new String(octets(path), StandardCharsets.UTF_8);
  }

  /** As decoders read UTF-8 that do not ask for the shortest form: {@code c0 af} is a slash. */
  private static String overlong(String path) {
    var octets = octets(path);
    var text = new StringBuilder();
    for (int i = 0; i < octets.length; i++) {
      int lead = octets[i] & 0xff;
      int next = i + 1 < octets.length ? octets[i + 1] & 0xff : 0;
      int third = i + 2 < octets.length ? octets[i + 2] & 0xff : 0;
      if ((lead == 0xc0 || lead == 0xc1) && next >> 6 == 0b10) {
        text.append((char) ((lead & 1) << 6 | (next & 0x3f)));
        i++;
      } else if (lead == 0xe0 && next >> 5 == 0b100 && third >> 6 == 0b10) {
        text.append((char) ((next & 0x1f) << 6 | (third & 0x3f)));
        i += 2;
      } else if (lead < 0x80) {
        text.append((char) lead);
      } else {
        int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        int end = Math.min(i + length, octets.length);
        text.append(new String(octets, i, end - i, StandardCharsets.UTF_8));
        i = end - 1;
      }
    }
    return text.toString();
  }

  private static byte[] octets(String path) {
    var octets = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < path.length(); i++) {
      if (path.charAt(i) == '%' && path.substring(i).matches("(?s)%[0-9a-fA-F]{2}.*")) {
        octets.write(Integer.parseInt(path.substring(i + 1, i + 3), 16));
        i += 2;
      } else {
        int end = path.offsetByCodePoints(i, 1);
        octets.writeBytes(path.substring(i, end).getBytes(StandardCharsets.UTF_8));
        i = end - 1;
      }
    }
    return octets.toByteArray();
  }

  private static String withoutParameters(String path) {
    return Stream.of(path.split("/", -1))
        .map(segment -> before(segment, ';'))
        .collect(Collectors.joining("/"));
  }

  /** Slashes merged, dots gone: RFC 3986 §5.2.4. */
  private static String resolved(String path) {
    var segments = new ArrayDeque<String>();
    var all = path.split("/", -1);
    for (var segment : all) {
      switch (segment) {
        case "", "." -> {}
        case ".." -> segments.pollLast();
        default -> segments.add(segment);
      }
    }
    boolean directory = all[all.length - 1].matches("\\.{0,2}");
    return "/" + String.join("/", segments) + (directory && !segments.isEmpty() ? "/" : "");
  }

  private static String before(String text, char end) {
    int at = text.indexOf(end);
    return at < 0 ? text : text.substring(0, at);
  }
}
