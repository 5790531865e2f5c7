package dev.gatehouse.authz;

/**
 * How ext-authz behaves beside the policies.
 *
 * @param unmatchedAllow {@code --unmatched=allow}: a request without any binding passes; else it is denied
 * @param matchRoutes {@code --match-routes}
 * @param addressFromHeader {@code --client-address=x-envoy-external-address}: believe that header; else the peer that Envoy reports
 * @param maxTokenBytes longer tokens are refused unread
 */
public record ExtAuthzSettings(
    boolean unmatchedAllow, boolean matchRoutes, boolean addressFromHeader, int maxTokenBytes) {
  public static ExtAuthzSettings defaults() {
    return new ExtAuthzSettings(false, false, false, 16 << 10);
  }
}
