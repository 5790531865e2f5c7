package dev.gatehouse.extproc;

/**
 * How ext-proc behaves beside the policies.
 *
 * @param matchRoutes {@code --match-routes}
 * @param addressFromHeader {@code --client-address=x-envoy-external-address}
 */
public record ExtProcSettings(boolean matchRoutes, boolean addressFromHeader) {
  public static ExtProcSettings defaults() {
    return new ExtProcSettings(false, false);
  }
}
