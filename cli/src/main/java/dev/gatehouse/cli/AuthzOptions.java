package dev.gatehouse.cli;

import dev.gatehouse.authz.ExtAuthzSettings;
import picocli.CommandLine.Option;

/** How ext-authz behaves beside the policies. */
final class AuthzOptions {
  enum Unmatched {
    deny,
    allow
  }

  @Option(
      names = "--unmatched",
      paramLabel = "WHAT",
      defaultValue = "deny",
      description =
          "A request that no binding and no route metadata tells anything about: deny or allow."
              + " Default: ${DEFAULT-VALUE}.")
  Unmatched unmatched = Unmatched.deny;

  @Option(
      names = "--max-token-bytes",
      paramLabel = "N",
      defaultValue = "16384",
      description = "Longer tokens are refused unread. Default: ${DEFAULT-VALUE}.")
  int maxTokenBytes;

  ExtAuthzSettings settings(PolicyOptions policies) {
    return new ExtAuthzSettings(
        unmatched == Unmatched.allow,
        policies.matchRoutes,
        policies.addressFromHeader(),
        maxTokenBytes);
  }
}
