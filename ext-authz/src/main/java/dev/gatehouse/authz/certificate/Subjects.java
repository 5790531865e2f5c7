package dev.gatehouse.authz.certificate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;

/**
 * Whom of those that the authorities vouch for a policy lets in: any of its {@code subjects}, each the whole name, never a part of it.
 *
 * <ul>
 *   <li><b>A URI</b> ({@code spiffe://corp/ns/shop}) is a URI name, byte for byte. {@code /*} at its end stands for one path segment or
 *       more of letters, digits, dots, dashes and underscores, none of them empty, {@code .} or {@code ..} (SPIFFE-ID §2.2): {@code
 *       spiffe://corp/*} is every workload of the trust domain, and not the domain itself.
 *   <li><b>A DNS name</b> ({@code orders.corp.example}) is a DNS name (SAN) without regard to case. {@code *.} at its beginning stands for
 *       one label (RFC 9525 §6.3). A name with a star in the certificate is nobody's. The common name is not looked at (RFC 9525 §2).
 *   <li><b>A subject</b> ({@code CN=orders,O=Corp}, RFC 2253) is the whole distinguished name, in this order, compared in canonical form:
 *       without regard to case and repeated spaces.
 * </ul>
 */
public final class Subjects {
  private static final Pattern URI =
      Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://.*|[Uu][Rr][Nn]:.*");
  private static final int MAX_DNS_CHARS = 253;

  private final List<Name> names;

  private Subjects(List<Name> names) {
    this.names = List.copyOf(names);
  }

  private sealed interface Name {
    boolean isOf(CertificateIdentity who);
  }

  /**
   * @param texts empty for anybody whom the authorities vouch for
   * @throws IllegalArgumentException quoting the first that is no name, with what was expected
   */
  public static Subjects of(List<String> texts) {
    var names = new ArrayList<Name>();
    for (var text : texts) {
      names.add(name(text));
    }
    return new Subjects(names);
  }

  public boolean admit(CertificateIdentity who) {
    if (names.isEmpty()) {
      return true;
    }
    for (var name : names) {
      if (name.isOf(who)) {
        return true;
      }
    }
    return false;
  }

  private static Name name(String text) {
    if (URI.matcher(text).matches()) {
      return uri(text);
    }
    if (text.indexOf('=') >= 0) {
      return subject(text);
    }
    return dns(text);
  }

  private record Uri(String text) implements Name {
    @Override
    public boolean isOf(CertificateIdentity who) {
      return who.uris().contains(text);
    }
  }

  /** @param start with the slash at its end */
  private record UrisBelow(String start) implements Name {
    @Override
    public boolean isOf(CertificateIdentity who) {
      for (var uri : who.uris()) {
        if (uri.startsWith(start) && SpiffeId.segments(uri.substring(start.length()))) {
          return true;
        }
      }
      return false;
    }
  }

  private static Name uri(String text) {
    boolean below = text.endsWith("/*");
    var start = below ? text.substring(0, text.length() - 1) : text;
    var sample = below ? start + "x" : text;
    if (start.indexOf('*') >= 0) {
      throw expected(text, "a * only as \"/*\" at its end");
    }
    if (SpiffeId.claims(text) && !SpiffeId.valid(sample)) {
      throw expected(text, "a SPIFFE ID, such as spiffe://corp/ns/shop or spiffe://corp/*");
    }
    // "https://*" would be any host, and "urn:*" anything.
    int authority = start.indexOf("://");
    boolean names = authority >= 0 && start.indexOf('/', authority + 3) > authority + 3;
    if (below && !names) {
      throw expected(text, "a host or trust domain before \"/*\"");
    }
    return below ? new UrisBelow(start) : new Uri(text);
  }

  private record Dns(String name) implements Name {
    @Override
    public boolean isOf(CertificateIdentity who) {
      for (var dns : who.dns()) {
        if (dns.toLowerCase(Locale.ROOT).equals(name)) {
          return true;
        }
      }
      return false;
    }
  }

  /** @param tail with the dot at its beginning */
  private record DnsBelow(String tail) implements Name {
    @Override
    public boolean isOf(CertificateIdentity who) {
      for (var each : who.dns()) {
        var dns = each.toLowerCase(Locale.ROOT);
        if (dns.endsWith(tail) && dns.indexOf('.') == dns.length() - tail.length() && isDns(dns)) {
          return true;
        }
      }
      return false;
    }
  }

  private static Name dns(String text) {
    var name = text.toLowerCase(Locale.ROOT);
    boolean below = name.startsWith("*.");
    if (!isDns(below ? name.substring(2) : name)) {
      throw expected(
          text,
          "a URI (spiffe://corp/*), a DNS name (orders.corp.example, *.corp.example) or a subject"
              + " (CN=orders,O=Corp)");
    }
    return below ? new DnsBelow(name.substring(1)) : new Dns(name);
  }

  /** RFC 1123 §2.1, and underscores; in lower case. */
  private static boolean isDns(String name) {
    if (name.length() > MAX_DNS_CHARS) {
      return false;
    }
    char before = '.';
    for (int i = 0; i <= name.length(); i++) {
      char c = i < name.length() ? name.charAt(i) : '.';
      boolean inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      boolean edge = before == '.' || before == '-';
      if (!inside && !(c == '-' && before != '.') && !(c == '.' && !edge)) {
        return false;
      }
      before = c;
    }
    return true;
  }

  /** Compared as {@link X500Principal#equals} does. */
  private record Subject(X500Principal name) implements Name {
    @Override
    public boolean isOf(CertificateIdentity who) {
      return name.equals(who.name());
    }
  }

  private static Name subject(String text) {
    if (text.indexOf('*') >= 0) {
      throw expected(text, "a subject without *; patterns are for URI and DNS names");
    }
    try {
      return new Subject(new X500Principal(text));
    } catch (IllegalArgumentException e) {
      throw expected(text, "a subject as RFC 2253 writes it, such as CN=orders,O=Corp");
    }
  }

  private static IllegalArgumentException expected(String text, String what) {
    return new IllegalArgumentException("\"" + text + "\" (expected: " + what + ")");
  }
}
