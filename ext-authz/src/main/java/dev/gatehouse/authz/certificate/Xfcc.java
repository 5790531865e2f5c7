package dev.gatehouse.authz.certificate;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Envoy's header {@code x-forwarded-client-cert}, read strictly: elements with commas between, each of a proxy, of pairs {@code
 * key=value} with semicolons between. A value with a comma, semicolon, equals sign or quote stands in double quotes, in which a
 * backslash takes the next character's meaning away. What this grammar does not know is refused.
 *
 * <p>{@code By}, {@code URI} and {@code DNS} may repeat, as names of a certificate do; the other keys may not. Unquoted values may
 * hold an equals sign, because Envoy writes URIs as they are.
 */
final class Xfcc {
  /** Envoy refuses requests whose headers together have more than 60 KiB, as it comes. */
  static final int MAX_CHARS = 64 << 10;

  static final int MAX_ELEMENTS = 16;
  static final int MAX_PAIRS = 128;

  enum Key {
    BY(true),
    HASH(false),
    CERT(false),
    CHAIN(false),
    SUBJECT(false),
    URI(true),
    DNS(true);

    private final boolean repeats;

    Key(boolean repeats) {
      this.repeats = repeats;
    }
  }

  /** What one proxy says. */
  static final class Element {
    private final Map<Key, List<String>> values = new EnumMap<>(Key.class);

    /** Of a key that does not repeat; null where it is absent. */
    @Nullable
    String only(Key key) {
      var all = all(key);
      return all.isEmpty() ? null : all.getFirst();
    }

    List<String> all(Key key) {
      return values.getOrDefault(key, List.of());
    }
  }

  private final String text;
  private int at;

  private Xfcc(String text) {
    this.text = text;
  }

  /**
   * At least one element, in the order of the proxies that a request came by.
   *
   * @throws BadCertificate if it is anything else; nothing else is ever thrown
   */
  static List<Element> parse(String header) throws BadCertificate {
    require(header.length() <= MAX_CHARS, "is longer than " + MAX_CHARS);
    for (int i = 0; i < header.length(); i++) {
      char c = header.charAt(i);
      require(c >= ' ' && c < 0x7f, "holds a character that is no visible ASCII");
    }
    return new Xfcc(header).elements();
  }

  private List<Element> elements() throws BadCertificate {
    var elements = new ArrayList<Element>();
    elements.add(element());
    while (at < text.length()) {
      at++; // element() stopped at a comma
      require(elements.size() < MAX_ELEMENTS, "has more than " + MAX_ELEMENTS + " elements");
      elements.add(element());
    }
    return List.copyOf(elements);
  }

  private Element element() throws BadCertificate {
    var element = new Element();
    pair(element);
    for (int pairs = 1; at < text.length() && text.charAt(at) == ';'; pairs++) {
      at++;
      require(pairs < MAX_PAIRS, "has an element with more than " + MAX_PAIRS + " pairs");
      pair(element);
    }
    return element;
  }

  private void pair(Element element) throws BadCertificate {
    int equals = text.indexOf('=', at);
    require(equals > at, "has something that is no pair of key=value");
    var key = key(text.substring(at, equals));
    at = equals + 1;
    boolean quoted = at < text.length() && text.charAt(at) == '"';
    var value = quoted ? quoted() : plain();
    require(
        at == text.length() || text.charAt(at) == ';' || text.charAt(at) == ',',
        "has something behind a quoted value");
    var values = element.values.computeIfAbsent(key, _ -> new ArrayList<>());
    require(key.repeats || values.isEmpty(), "has the key " + key + " twice in an element");
    values.add(value);
  }

  /** Without case. */
  private static Key key(String name) throws BadCertificate {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "by" -> Key.BY;
      case "hash" -> Key.HASH;
      case "cert" -> Key.CERT;
      case "chain" -> Key.CHAIN;
      case "subject" -> Key.SUBJECT;
      case "uri" -> Key.URI;
      case "dns" -> Key.DNS;
      default -> throw new BadCertificate("x-forwarded-client-cert has an unknown key");
    };
  }

  private String plain() throws BadCertificate {
    int start = at;
    while (at < text.length() && text.charAt(at) != ';' && text.charAt(at) != ',') {
      char c = text.charAt(at);
      require(c != '"' && c != ' ', "has a quote or space in an unquoted value");
      at++;
    }
    return text.substring(start, at);
  }

  /** {@code \"} is a quote and {@code \\} a backslash; another pair stays, as it is one of the subject's own (RFC 2253 §2.4). */
  private String quoted() throws BadCertificate {
    var value = new StringBuilder();
    at++;
    while (at < text.length() && text.charAt(at) != '"') {
      if (text.charAt(at) == '\\') {
        at++;
        require(at < text.length(), "ends within quotes");
        if (text.charAt(at) != '"' && text.charAt(at) != '\\') {
          value.append('\\');
        }
      }
      value.append(text.charAt(at));
      at++;
    }
    require(at < text.length(), "ends within quotes");
    at++;
    return value.toString();
  }

  private static void require(boolean holds, String otherwise) throws BadCertificate {
    if (!holds) {
      throw new BadCertificate("x-forwarded-client-cert " + otherwise);
    }
  }
}
