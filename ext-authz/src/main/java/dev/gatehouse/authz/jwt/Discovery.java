package dev.gatehouse.authz.jwt;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the address of an issuer's keys in its configuration (OpenID Connect Discovery 1.0 §4). The configuration must name the very
 * issuer that was asked (§4.3), else one issuer could answer for another. Its {@code jwks_uri} may be on another host, as many
 * have it: whom the issuer's own document names is trusted as the issuer is; but not over http where the issuer has https.
 *
 * <p>The configuration is kept as keys are: as long as the issuer lets it within the same bounds, and for {@link RemoteKeys#STALE}
 * longer while it cannot be had. Asked by one fetch at a time.
 */
final class Discovery {
  private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);
  private static final int SHOWN = 200;

  private final KeyAddress.DiscoveredBy address;
  private final Lifetime lifetime;
  private final KeyFetcher http;
  private final InstantSource clock;
  private volatile @Nullable Known known;

  private record Known(Fetched document, URI keys, Instant fresh, Instant until) {}

  Discovery(
      KeyAddress.DiscoveredBy address, Lifetime lifetime, KeyFetcher http, InstantSource clock) {
    this.address = address;
    this.lifetime = lifetime;
    this.http = http;
    this.clock = clock;
  }

  /** Where the keys are; fails with a reason for the log. */
  CompletableFuture<URI> keys() {
    var before = known;
    var now = clock.instant();
    if (before != null && now.isBefore(before.fresh)) {
      return CompletableFuture.completedFuture(before.keys);
    }
    return http.get(address.configuration(), before == null ? null : before.document, false)
        .thenApply(document -> read(document, now))
        .handle((keys, error) -> {
          if (error == null) {
            return keys;
          }
          if (before != null && now.isBefore(before.until)) {
            return before.keys;
          }
          throw new CompletionException(
              new IOException("its configuration: " + RemoteKeys.reason(error), error));
        });
  }

  /** There were no keys where it says: it is asked again before it is believed again. */
  void doubt() {
    var before = known;
    if (before != null) {
      known = new Known(before.document, before.keys, Instant.MIN, before.until);
    }
  }

  private URI read(Fetched document, Instant asked) {
    var before = known;
    var keys = before != null && before.document.text().equals(document.text())
        ? before.keys
        : keysIn(document.text(), address);
    if (before != null && !before.keys.equals(keys)) {
      LOG.info("keys of {} are at {} now", address.issuer(), KeyAddress.title(keys));
    }
    var fresh = asked.plus(lifetime.of(document.lifetime()));
    known = new Known(document, keys, fresh, fresh.plus(RemoteKeys.STALE));
    return keys;
  }

  static URI keysIn(String text, KeyAddress.DiscoveredBy address) {
    var configuration = StrictJson.object(text.getBytes(StandardCharsets.UTF_8));
    if (configuration == null) {
      throw failure("not a JSON object without duplicate names");
    }
    if (!address.issuer().equals(configuration.get("issuer"))) {
      throw failure("issuer " + shown(configuration.get("issuer")) + " (expected: \""
          + address.issuer() + "\" exactly)");
    }
    boolean https = address.configuration().getScheme().equalsIgnoreCase("https");
    if (configuration.get("jwks_uri") instanceof String uri) {
      try {
        var keys = new URI(uri);
        if (KeyAddress.http(keys) && (!https || keys.getScheme().equalsIgnoreCase("https"))) {
          return keys;
        }
      } catch (URISyntaxException _) {
        // said below
      }
    }
    throw failure("jwks_uri " + shown(configuration.get("jwks_uri")) + " (expected: "
        + (https ? "https" : "http(s)") + "://host/path)");
  }

  private static CompletionException failure(String why) {
    return new CompletionException(new IOException(why));
  }

  private static String shown(@Nullable Object value) {
    if (!(value instanceof String text)) {
      return value == null ? "missing" : "no string";
    }
    return "\"" + (text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…") + "\"";
  }
}
