package dev.gatehouse.authz.jwt;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A text that a provider gave, and how to ask whether it changed.
 *
 * @param from where it was asked for; what validates it there validates it nowhere else
 * @param etag null where there is none
 * @param lastModified as {@code etag}
 * @param lifetime for how long the provider lets it be kept; null if it does not say
 */
record Fetched(
    URI from,
    String text,
    @Nullable String etag,
    @Nullable String lastModified,
    @Nullable Duration lifetime) {

  static Fetched of(URI from, String text, HttpHeaders headers) {
    return new Fetched(
        from,
        text,
        etag(headers).orElse(null),
        lastModified(headers).orElse(null),
        Freshness.of(headers));
  }

  /** The same text, with what a 304 says anew (RFC 9111 §4.3.4). */
  Fetched confirmed(HttpHeaders headers) {
    var anew = Freshness.of(headers);
    return new Fetched(
        from,
        text,
        etag(headers).orElse(etag),
        lastModified(headers).orElse(lastModified),
        anew == null ? lifetime : anew);
  }

  /** An entity tag (RFC 9110 §8.8.3) of a sane size: it is sent back. */
  private static Optional<String> etag(HttpHeaders headers) {
    return headers
        .firstValue("etag")
        .filter(tag -> tag.length() <= 512 && tag.matches("(W/)?\"[!#-~]*\""));
  }

  private static Optional<String> lastModified(HttpHeaders headers) {
    return headers
        .firstValue("last-modified")
        .filter(date -> date.length() <= 64 && date.matches("[ -~]+"));
  }

  /** Without the text. */
  @Override
  public String toString() {
    return "Fetched[" + KeyAddress.title(from) + "]";
  }
}
