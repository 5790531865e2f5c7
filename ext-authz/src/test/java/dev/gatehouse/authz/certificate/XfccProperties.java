package dev.gatehouse.authz.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.certificate.Xfcc.Element;
import dev.gatehouse.authz.certificate.Xfcc.Key;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What holds for any text in {@code x-forwarded-client-cert}: it is refused as a {@link BadCertificate}, or it has the elements and
 * pairs that a plain split at what stands outside quotes has, no more and no fewer, and written down again it reads the same.
 */
final class XfccProperties {
  private XfccProperties() {}

  /** @throws AssertionError saying what does not hold */
  static void hold(byte[] input) {
    var header = new String(input, StandardCharsets.ISO_8859_1);
    List<Element> elements;
    try {
      elements = Xfcc.parse(header);
    } catch (BadCertificate e) {
      assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(200);
      return;
    }
    assertThat(header).matches("[ -~]+");
    assertThat(elements).isNotEmpty().hasSizeLessThanOrEqualTo(Xfcc.MAX_ELEMENTS);
    var expected = split(header, ',');
    assertThat(elements).hasSameSizeAs(expected);
    for (int i = 0; i < elements.size(); i++) {
      var pairs = split(expected.get(i), ';');
      var element = elements.get(i);
      for (var key : Key.values()) {
        var values = pairs.stream()
            .filter(pair -> name(pair).equals(key.name().toLowerCase(Locale.ROOT)))
            .map(pair -> unquoted(pair.substring(pair.indexOf('=') + 1)))
            .toList();
        assertThat(element.all(key)).as("%s of element %d", key, i).isEqualTo(values);
      }
      assertThat(pairs.stream().map(XfccProperties::name))
          .isSubsetOf("by", "hash", "cert", "chain", "subject", "uri", "dns");
    }
    assertThat(described(parsed(written(elements)))).isEqualTo(described(elements));
  }

  private static List<Element> parsed(String header) {
    try {
      return Xfcc.parse(header);
    } catch (BadCertificate e) {
      throw new AssertionError("what was read cannot be read again: " + header, e);
    }
  }

  private static String name(String pair) {
    return pair.substring(0, Math.max(0, pair.indexOf('='))).toLowerCase(Locale.ROOT);
  }

  /** At separators outside of quotes; within quotes a backslash takes the next character's meaning away. */
  private static List<String> split(String text, char separator) {
    var parts = new ArrayList<String>();
    var part = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == separator && !quoted) {
        parts.add(part.toString());
        part.setLength(0);
        continue;
      }
      part.append(c);
      if (c == '\\' && quoted && i + 1 < text.length()) {
        part.append(text.charAt(++i));
      } else if (c == '"') {
        quoted = !quoted;
      }
    }
    parts.add(part.toString());
    return parts;
  }

  private static String unquoted(String value) {
    return value.startsWith("\"")
        ? value.substring(1, value.length() - 1).replaceAll("\\\\([\"\\\\])", "$1")
        : value;
  }

  private static String written(List<Element> elements) {
    var header = new StringBuilder();
    for (var element : elements) {
      char separator = header.isEmpty() ? 0 : ',';
      for (var key : Key.values()) {
        for (var value : element.all(key)) {
          if (separator != 0) {
            header.append(separator);
          }
          header
              .append(key)
              .append("=\"")
              .append(value.replace("\\", "\\\\").replace("\"", "\\\""))
              .append('"');
          separator = ';';
        }
      }
    }
    return header.toString();
  }

  private static String described(List<Element> elements) {
    var all = new StringBuilder();
    for (var element : elements) {
      for (var key : Key.values()) {
        all.append(key).append(element.all(key)).append('\n');
      }
    }
    return all.toString();
  }
}
