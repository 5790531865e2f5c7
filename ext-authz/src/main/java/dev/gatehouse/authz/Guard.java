package dev.gatehouse.authz;

import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Rules;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A policy, compiled for the routes of one Gateway; those routes share it.
 */
final class Guard {
  private final String policy;
  private final SortedSet<String> ownedHeaders;
  private final List<Provider> providers;
  private final boolean tokenRequired;
  private final @Nullable Rules rules;
  private final List<TokenLocation> locations;
  private final List<ClaimPath> claims;
  private final Grant anonymous;

  /**
   * @param policy {@code namespace/name}
   * @param ownedHeaders names in lower case that no client's own value may pass under
   * @param providers empty where the policy has no {@code jwt}
   * @param tokenRequired whether a request without a token is refused
   */
  Guard(
      String policy,
      SortedSet<String> ownedHeaders,
      List<Provider> providers,
      boolean tokenRequired,
      @Nullable Rules rules) {
    this.policy = policy;
    this.ownedHeaders = ownedHeaders;
    this.providers = List.copyOf(providers);
    this.tokenRequired = tokenRequired;
    this.rules = rules;
    this.locations =
        providers.stream().flatMap(p -> p.locations().stream()).distinct().toList();
    this.claims = Stream.concat(
            providers.stream()
                .flatMap(p -> p.claimHeaders().stream())
                .map(Provider.ClaimHeader::claim),
            rules == null ? Stream.of() : rules.claims())
        .distinct()
        .toList();
    this.anonymous = Grant.anonymous(this);
  }

  String policy() {
    return policy;
  }

  SortedSet<String> ownedHeaders() {
    return ownedHeaders;
  }

  List<Provider> providers() {
    return providers;
  }

  boolean tokenRequired() {
    return tokenRequired;
  }

  @Nullable
  Rules rules() {
    return rules;
  }

  /** Every place where one of the providers looks. */
  List<TokenLocation> locations() {
    return locations;
  }

  /** The claims that the policy names: those that later filters are told. */
  List<ClaimPath> claims() {
    return claims;
  }

  Grant anonymous() {
    return anonymous;
  }
}
