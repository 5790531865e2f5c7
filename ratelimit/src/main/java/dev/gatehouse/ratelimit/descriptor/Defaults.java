package dev.gatehouse.ratelimit.descriptor;

/**
 * How limits count that do not say so themselves: those of BackendTrafficPolicy, YAML, xDS and requests' overrides.
 *
 * @param countsDenied whether a denied request is counted, as envoyproxy/ratelimit does
 * @param quota every limit is one of a quota ({@code QUOTA_MODE})
 * @param calendarMonths a month is one of the calendar's, not 30 days ({@code USE_CALENDAR_MONTH_RATE_LIMIT})
 * @param retryAfter {@code Retry-After} with a denial
 */
public record Defaults(
    Algorithm algorithm,
    boolean countsDenied,
    OnUnavailable onUnavailable,
    boolean quota,
    boolean calendarMonths,
    boolean retryAfter) {
  /** As envoyproxy/ratelimit. */
  public static final Defaults REFERENCE =
      new Defaults(Algorithm.FIXED_WINDOW, true, OnUnavailable.ERROR, false, false, false);

  private static final Answer RETRY_AFTER = new Answer(false, true, null);

  /** A limit that says nothing else; a token bucket holds as many as a window allows. */
  public Limit.Terms.Builder terms(long requests, Window window, String origin) {
    var own = window(window);
    return Limit.Terms.builder(requests, own, origin)
        .algorithm(algorithm, Limit.Terms.burst(requests, own, requests))
        .countsDenied(countsDenied)
        .onUnavailable(onUnavailable)
        .quota(quota)
        .answer(retryAfter ? RETRY_AFTER : Answer.NONE);
  }

  Window window(Window window) {
    return calendarMonths ? window.calendarMonths() : window;
  }
}
