package dev.gatehouse.ratelimit;

import org.jspecify.annotations.Nullable;

/**
 * What every answer has beside what its limits ask for.
 *
 * @param headers of the limit that decides; null adds none ({@code LIMIT_RESPONSE_HEADERS_ENABLED})
 * @param dynamicMetadata the request and what its limits tell, for later filters and access logs ({@code RESPONSE_DYNAMIC_METADATA})
 * @param shadow nothing is ever denied ({@code SHADOW_MODE})
 * @param quota a request passes as long as one of its descriptors is not over, also one that nothing limits ({@code QUOTA_MODE})
 */
public record AnswerSettings(
    @Nullable Headers headers, boolean dynamicMetadata, boolean shadow, boolean quota) {
  public static final AnswerSettings REFERENCE = new AnswerSettings(null, false, false, false);

  /** Their names: {@code LIMIT_LIMIT_HEADER}, {@code LIMIT_REMAINING_HEADER}, {@code LIMIT_RESET_HEADER}. */
  public record Headers(String limit, String remaining, String reset) {
    public static final Headers REFERENCE =
        new Headers("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset");
  }

  boolean plain() {
    return headers == null && !dynamicMetadata;
  }
}
