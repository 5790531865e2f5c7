package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.Verifier;
import dev.gatehouse.authz.rules.ClaimPath;
import java.util.List;

/** A JWT provider of a policy, compiled with its {@link Guard} and of that one only: each is equal to itself alone. */
final class Provider {
  private final String name;
  private final Verifier verifier;
  private final List<TokenLocation> locations;
  private final List<ClaimHeader> claimHeaders;

  /** @param name by which rules refer to it */
  Provider(
      String name,
      Verifier verifier,
      List<TokenLocation> locations,
      List<ClaimHeader> claimHeaders) {
    this.name = name;
    this.verifier = verifier;
    this.locations = locations;
    this.claimHeaders = claimHeaders;
  }

  /** @param header in lower case */
  record ClaimHeader(ClaimPath claim, String header) {}

  String name() {
    return name;
  }

  Verifier verifier() {
    return verifier;
  }

  List<TokenLocation> locations() {
    return locations;
  }

  List<ClaimHeader> claimHeaders() {
    return claimHeaders;
  }
}
