package dev.gatehouse.ratelimit.descriptor;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a caller sees of a limit. {@code x-ratelimit-*} are not among it: Envoy's filter writes them from the statuses of every answer, if its
 * configuration says so.
 *
 * @param ietfHeaders {@code RateLimit-Policy} and {@code RateLimit} (draft-ietf-httpapi-ratelimit-headers) with every answer
 * @param retryAfter {@code Retry-After} in seconds with a denial (RFC 9110, section 10.2.3)
 * @param denied what a denial looks like; null leaves it to Envoy
 */
public record Answer(
    boolean ietfHeaders, boolean retryAfter, @Nullable Denied denied) {
  /** Nothing of our own, as envoyproxy/ratelimit. */
  public static final Answer NONE = new Answer(false, false, null);

  /** Whether it adds nothing to an answer. */
  public boolean isSilent(boolean denial) {
    return !ietfHeaders && !(denial && (retryAfter || denied != null));
  }

  /**
   * The status is not among it: it is the filter's ({@code rate_limited_status}).
   *
   * @param body empty for none
   * @param contentType of the body; empty leaves Envoy's {@code text/plain}
   * @param headers to be added
   */
  public record Denied(String body, String contentType, Map<String, String> headers) {
    public Denied {
      headers = Map.copyOf(headers);
    }
  }
}
