package dev.gatehouse.authz.jwt;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where a provider publishes its keys, as a policy says it. */
public sealed interface KeyAddress {
  /** What OpenID Connect Discovery 1.0 §4 puts behind an issuer. */
  String WELL_KNOWN = "/.well-known/openid-configuration";

  /** The key set itself. */
  record At(URI uri) implements KeyAddress {
    /** Without a query, which may hold a secret. */
    @Override
    public String toString() {
      return title(uri);
    }
  }

  /**
   * Named by the issuer's configuration.
   *
   * @param issuer exactly as the configuration must repeat it
   */
  record DiscoveredBy(String issuer, URI configuration) implements KeyAddress {
    @Override
    public String toString() {
      return title(configuration);
    }
  }

  /** @throws BadKeySet if it is no address that keys can be fetched from */
  static KeyAddress at(URI uri) throws BadKeySet {
    if (!http(uri)) {
      throw new BadKeySet("not an address of keys (expected: http(s)://host/path)");
    }
    return new At(uri);
  }

  /**
   * By discovery at an issuer (OpenID Connect Discovery 1.0 §4.1).
   *
   * @throws BadKeySet if the issuer is no URL that one can ask
   */
  static KeyAddress discoveredBy(@Nullable String issuer) throws BadKeySet {
    if (issuer == null) {
      throw new BadKeySet("no address of keys (expected: a uri, or an issuer that is a URL)");
    }
    try {
      var base = new URI(issuer);
      if (http(base) && base.getRawQuery() == null && base.getRawFragment() == null) {
        var cut = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
        return new DiscoveredBy(issuer, new URI(cut + WELL_KNOWN));
      }
    } catch (URISyntaxException _) {
      // said below
    }
    throw new BadKeySet(
        "the issuer \"" + issuer
            + "\" has no configuration that could name the address of its keys (expected: http(s)://host/path, or a uri)");
  }

  static boolean http(URI uri) {
    var scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    return (scheme.equals("https") || scheme.equals("http"))
        && uri.getHost() != null
        && uri.getRawUserInfo() == null;
  }

  /** For logs. */
  static String title(URI uri) {
    return uri.getScheme() + "://" + uri.getRawAuthority()
        + (uri.getRawPath() == null ? "" : uri.getRawPath());
  }
}
