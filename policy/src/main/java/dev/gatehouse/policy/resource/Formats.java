package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The small languages within fields: names, hosts, headers, addresses, regular expressions. Each reports what it cannot take. */
final class Formats {
  private static final Pattern OBJECT_NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");
  private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern PRECISE_HOST =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+\\-.^_`|~]+");
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
  private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");
  private static final Pattern PATH =
      Pattern.compile("(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+");
  private static final Pattern EMAIL = Pattern.compile("[^@\\s]+@[^@\\s]+");
  private static final Pattern QUALIFIED_NAME = Pattern.compile(
      "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
  private static final Map<String, String> METHODS = methods();
  private static final Set<String> FRAMING = Set.of(
      "host",
      "content-length",
      "transfer-encoding",
      "connection",
      "keep-alive",
      "upgrade",
      "trailer");
  private static final Set<String> NEVER_OWNED =
      Set.of("authorization", "cookie", "x-forwarded-client-cert", "x-forwarded-for");
  private static final int MAX_NAME = 253;

  private Formats() {}

  private static Map<String, String> methods() {
    var methods = new java.util.TreeMap<String, String>();
    for (var m :
        Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")) {
      methods.put(m, m);
    }
    return java.util.Collections.unmodifiableMap(methods);
  }

  /** The name of an object, a listener or a rule (RFC 1123): it must not hold the slashes that bindings put between names. */
  static String name(Value value) {
    return matching(
        value, MAX_NAME, OBJECT_NAME, "a name of lower-case letters, digits, '-' and '.'");
  }

  static String namespace(Value value) {
    return matching(value, 63, NAMESPACE, "a namespace of lower-case letters, digits and '-'");
  }

  static String preciseHost(Value value) {
    return matching(
        value, MAX_NAME, PRECISE_HOST, "a host name in lower case such as shop.example.com");
  }

  /** A host name, or one with {@code *.} for its first label (Gateway API, Hostname); no IP address. */
  static String host(Value value) {
    var text = value.text(MAX_NAME);
    var precise = text.startsWith("*.") ? text.substring(2) : text;
    if (!text.isEmpty() && (!PRECISE_HOST.matches(precise) || IPV4.matches(precise))) {
      value.error(value.show(text)
          + " is not a host name in lower case such as shop.example.com or *.example.com");
    }
    return text;
  }

  /** A header name (RFC 9110 §5.1), in lower case. */
  static String header(Value value) {
    return matching(value, 256, TOKEN, "a header name").toLowerCase(Locale.ROOT);
  }

  /** A header that a claim or a transformation may set. Envoy drops changes of {@code host} and {@code x-envoy-*} in silence. */
  static String changeableHeader(Value value) {
    return checkChangeable(value, header(value));
  }

  /** The same for a name that is a key of {@code value}. */
  static String changeableHeader(Value value, String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    if (!TOKEN.matches(name) || name.length() > 256) {
      value.error(value.show(name) + " is not a header name");
      return lower;
    }
    return checkChangeable(value, lower);
  }

  private static String checkChangeable(Value value, String lower) {
    if (isEnvoys(lower)) {
      value.error("\"" + Shown.of(lower) + "\" is Envoy's own and cannot be changed");
    }
    return lower;
  }

  /**
   * A header that a policy owns: it is taken from every request of the Gateway before anything looks at it, so it can be none in
   * which credentials or addresses come.
   */
  static String ownedHeader(Value value) {
    return checkOwned(value, changeableHeader(value));
  }

  /** The same for a name that is a key of {@code value}. */
  static String ownedHeader(Value value, String name) {
    return checkOwned(value, changeableHeader(value, name));
  }

  private static String checkOwned(Value value, String lower) {
    if (NEVER_OWNED.contains(lower)) {
      value.error(
          "\"" + lower
              + "\" cannot be set by a policy: what a policy sets is taken from every request of the Gateway first, and this is needed");
    }
    return lower;
  }

  /** Whether a name in lower case is one that {@link #ownedHeader} takes. */
  static boolean isOwnableHeader(String lower) {
    return TOKEN.matches(lower)
        && lower.length() <= 256
        && !isEnvoys(lower)
        && !NEVER_OWNED.contains(lower);
  }

  private static boolean isEnvoys(String lower) {
    return FRAMING.contains(lower) || lower.startsWith("x-envoy-");
  }

  /** A header's value: no control characters (RFC 9110 §5.5). */
  static String headerValue(Value value) {
    var text = value.anyText(Value.MAX_TEXT);
    if (text.chars().anyMatch(c -> (c < ' ' && c != '\t') || c == 0x7F)) {
      value.error("holds a control character, which a header's value cannot");
    }
    return text;
  }

  static String method(Value value) {
    return value.oneOf(METHODS);
  }

  /** A path as the Gateway API lets Exact and PathPrefix have it: absolute, normalised, without a fragment. */
  static String path(Value value) {
    var text = value.text(1024);
    if (text.isEmpty()) {
      return text;
    }
    var lower = text.toLowerCase(Locale.ROOT);
    if (!text.startsWith("/")) {
      value.error(value.show(text) + " does not begin with '/'");
    } else if (!PATH.matches(text)) {
      value.error(
          value.show(text)
              + " holds characters that a path cannot (percent-encode them; a query or fragment is no part of it)");
    } else if (text.contains("//")
        || text.contains("/./")
        || text.contains("/../")
        || text.endsWith("/.")
        || text.endsWith("/..")
        || lower.contains("%2f")) {
      value.error(
          value.show(text)
              + " is not normalised ('//', '/./', '/../' or '%2F' in it): Envoy's paths are, so it would never match");
    }
    return text;
  }

  /** A regular expression that RE2, Envoy's engine, takes, and that is small once its repetitions are written out. */
  static String regex(Value value) {
    var text = value.text(1024);
    var wrong = whatIsWrongWithRegex(text);
    if (!wrong.isEmpty()) {
      value.error(value.show(text) + " is not an RE2 regular expression: " + wrong);
    }
    return text;
  }

  private static String whatIsWrongWithRegex(String text) {
    if (RegexSize.of(text) > RegexSize.MAX) {
      return "its repetitions multiply to more than " + RegexSize.MAX + " steps";
    }
    try {
      Pattern.compile(text);
      return "";
    } catch (PatternSyntaxException e) {
      return String.valueOf(e.getDescription());
    }
  }

  /** An address with a prefix length, such as {@code 10.0.0.0/8} or {@code 2001:db8::/32}. */
  static String cidr(Value value) {
    var text = value.text(64);
    int slash = text.indexOf('/');
    if (text.isEmpty()) {
      return text;
    }
    var address = slash < 0 ? text : text.substring(0, slash);
    int bits = addressBits(address);
    var length = slash < 0 ? "" : text.substring(slash + 1);
    if (bits == 0 || !length.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(length) > bits) {
      value.error(value.show(text)
          + " is not an address range such as 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32");
    }
    return text;
  }

  static String address(Value value) {
    var text = value.text(45);
    if (!text.isEmpty() && addressBits(text) == 0) {
      value.error(value.show(text) + " is not an IP address");
    }
    return text;
  }

  /** 32, 128, or 0 for what is no address literal. Never asks DNS. */
  private static int addressBits(String text) {
    if (!IPV4.matches(text) && !IPV6.matches(text)) {
      return 0;
    }
    try {
      InetAddress.ofLiteral(text);
      return text.indexOf(':') >= 0 ? 128 : 32;
    } catch (IllegalArgumentException e) {
      return 0;
    }
  }

  /** A JWT issuer (RFC 7519 §4.1.1, StringOrURI): a URI where it holds a colon, an address where it holds an {@code @}. */
  static String issuer(Value value) {
    var text = value.text(MAX_NAME);
    if (text.contains(":")) {
      if (!isAbsoluteUri(text)) {
        value.error(value.show(text) + " holds a colon and is no URI (RFC 7519 §2, StringOrURI)");
      }
    } else if (text.contains("@") && !EMAIL.matches(text)) {
      value.error(value.show(text) + " holds an @ and is no email address");
    }
    return text;
  }

  private static boolean isAbsoluteUri(String text) {
    try {
      return new URI(text).isAbsolute();
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /** The name of a JWT provider (Kubernetes' qualified names). */
  static String qualifiedName(Value value) {
    return matching(
        value,
        MAX_NAME,
        QUALIFIED_NAME,
        "a name of at most 63 letters, digits, '-', '_' and '.', that begins and ends with a letter or digit");
  }

  /** An absolute http or https URI with a host. */
  static URI httpUri(Value value) {
    var text = value.text(MAX_NAME);
    try {
      var uri = new URI(text);
      var scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if (!text.isEmpty()
          && (uri.getHost() == null
              || uri.getRawUserInfo() != null
              || !(scheme.equals("http") || scheme.equals("https")))) {
        value.error(value.show(text)
            + " is not an http or https URI with a host and without user information");
      }
      return uri;
    } catch (URISyntaxException e) {
      value.error(value.show(text) + " is not a URI: " + e.getReason());
      return URI.create("");
    }
  }

  static int port(Value value) {
    return value.integer(1, 65535);
  }

  private static String matching(Value value, int max, Pattern pattern, String what) {
    var text = value.text(max);
    if (!text.isEmpty() && !pattern.matches(text)) {
      value.error(value.show(text) + " is not " + what);
    }
    return text;
  }
}
