package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.Verifier;
import dev.gatehouse.authz.rules.ClaimPath;
import java.util.List;

/**
 * A JWT provider of a policy, compiled.
 *
 * @param name by which rules refer to it
 */
record Provider(
    String name, Verifier verifier, List<TokenLocation> locations, List<ClaimHeader> claimHeaders) {

  /** @param header in lower case */
  record ClaimHeader(ClaimPath claim, String header) {}
}
