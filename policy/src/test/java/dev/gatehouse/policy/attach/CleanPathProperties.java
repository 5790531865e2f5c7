package dev.gatehouse.policy.attach;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * What holds for any path: if it is clean, then whoever decodes it, merges its slashes, resolves its dots, cuts its fragment or drops
 * the parameters of dots and of nothing finds the elements that were there before, one for one.
 */
final class CleanPathProperties {
  private CleanPathProperties() {}

  /** @throws AssertionError saying what does not hold */
  static void hold(byte[] input) {
    var path = new String(input, StandardCharsets.UTF_8);
    int question = path.indexOf('?');
    int end = question < 0 ? path.length() : question;
    if (!CleanPath.is(path, end)) {
      return;
    }
    var clean = path.substring(0, end);
    assertThat(clean).startsWith("/").matches("[!-~]+").doesNotContain("#", "\\", "//");
    var elements = List.of(clean.substring(1).split("/", -1));
    for (int i = 0; i < elements.size(); i++) {
      var element = elements.get(i);
      var decoded = decoded(element);
      assertThat(decoded).as(clean).doesNotContain("/", "\\", "\0");
      for (var read :
          Stream.of(element, decoded).flatMap(e -> Stream.of(e, before(e, ';'))).toList()) {
        assertThat(read).as(clean).isNotIn(".", "..");
        if (i < elements.size() - 1) {
          assertThat(read).as(clean).isNotEmpty();
        }
      }
      if (element.chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '%')) {
        assertThat(decoded
                .chars()
                .filter(c -> c < 0x80 && Character.isLetterOrDigit(c))
                .count())
            .as("letters that need no escape have none: %s", clean)
            .isEqualTo(element.replaceAll("%..", "").length());
      }
    }
  }

  /** Percent-escapes as UTF-8, the shortest form or not. */
  private static String decoded(String element) {
    var octets = new ByteArrayOutputStream();
    for (int i = 0; i < element.length(); i++) {
      if (element.charAt(i) == '%') {
        octets.write(Integer.parseInt(element.substring(i + 1, i + 3), 16));
        i += 2;
      } else {
        octets.write(element.charAt(i));
      }
    }
    var text = new StringBuilder();
    var bytes = octets.toByteArray();
    for (int i = 0; i < bytes.length; i++) {
      int lead = bytes[i] & 0xff;
      int next = i + 1 < bytes.length ? bytes[i + 1] & 0xff : 0;
      int third = i + 2 < bytes.length ? bytes[i + 2] & 0xff : 0;
      if ((lead == 0xc0 || lead == 0xc1) && next >> 6 == 0b10) {
        text.append((char) ((lead & 1) << 6 | (next & 0x3f)));
        i++;
      } else if (lead == 0xe0 && next >> 5 == 0b100 && third >> 6 == 0b10) {
        text.append((char) ((next & 0x1f) << 6 | (third & 0x3f)));
        i += 2;
      } else {
        text.append((char) lead);
      }
    }
    return text.toString();
  }

  private static String before(String text, char end) {
    int at = text.indexOf(end);
    return at < 0 ? text : text.substring(0, at);
  }
}
