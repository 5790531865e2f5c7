package dev.gatehouse.authz;

import static java.util.stream.Collectors.joining;

import dev.gatehouse.authz.jwt.Algorithm;
import dev.gatehouse.authz.jwt.Requirements;
import dev.gatehouse.authz.jwt.TokenReader;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.Shown;
import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a policy's provider asks of tokens, made ready to be asked; what can never be asked is an error of the policy. */
final class TokenRequirements {
  private final SecurityPolicy.Provider provider;
  private final String path;
  private final Problems problems;

  private TokenRequirements(SecurityPolicy.Provider provider, String path, Problems problems) {
    this.provider = provider;
    this.path = path;
    this.problems = problems;
  }

  /**
   * @param path of the provider in its policy
   * @return null if the policy asks for what it cannot have, which the problems then say
   */
  static @Nullable Requirements of(
      SecurityPolicy.Provider provider, String path, Problems problems) {
    int before = problems.errors();
    var asked = new TokenRequirements(provider, path, problems).read();
    return problems.errors() > before ? null : asked;
  }

  private Requirements read() {
    var rules = provider.tokens();
    var asked = Requirements.of(provider.issuer(), Set.copyOf(provider.audiences()));
    if (!rules.algorithms().isEmpty()) {
      asked = asked.withAlgorithms(algorithms());
    }
    if (!rules.types().isEmpty()) {
      asked = asked.withTypes(types());
    }
    if (rules.clockSkew() != null) {
      asked = asked.withSkew(skew(rules.clockSkew()));
    }
    if (rules.maxLifetime() != null) {
      asked = asked.withMaxLifetime(lifetime(rules.maxLifetime()));
    }
    return asked.withClaims(
        rules.requiredClaims().stream().filter(this::isName).map(ClaimPath::of).toList());
  }

  private Set<Algorithm> algorithms() {
    var all = EnumSet.noneOf(Algorithm.class);
    for (var name : provider.tokens().algorithms()) {
      var algorithm = Algorithm.named(name);
      if (algorithm == null) {
        var meant = Shown.closest(name, Algorithm.NAMES);
        // RFC 8725 §3.1, §3.2: no HS* with keys that are public, and never none.
        error(
            ".algorithms",
            "\"" + name + "\" (expected: any of "
                + Algorithm.NAMES.stream().collect(joining(", ")) + ")"
                + (meant == null ? "" : "; did you mean \"" + meant + "\"?"));
      } else {
        all.add(algorithm);
      }
    }
    return Set.copyOf(all);
  }

  private Set<String> types() {
    var all = new LinkedHashSet<String>();
    for (var type : provider.tokens().types()) {
      var normal = TokenReader.type(type);
      if (normal.isEmpty() || Requirements.NEVER.contains(normal)) {
        error(
            ".types",
            "\"" + type + "\" (expected: an access token's type, such as at+jwt or JWT; never "
                + String.join(", ", new TreeSet<>(Requirements.NEVER)) + ")");
      } else {
        all.add(normal);
      }
    }
    return Set.copyOf(all);
  }

  private Duration skew(Duration skew) {
    if (skew.isNegative() || skew.compareTo(Requirements.MAX_SKEW) > 0) {
      error(
          ".clockSkew",
          seconds(skew) + " (expected: 0s to " + seconds(Requirements.MAX_SKEW)
              + ", since a token lives that much longer)");
    }
    return skew;
  }

  private Duration lifetime(Duration lifetime) {
    if (!lifetime.isPositive()) {
      error(".maxLifetime", seconds(lifetime) + " (expected: more than nothing)");
    }
    return lifetime;
  }

  private boolean isName(String claim) {
    if (claim.isEmpty()) {
      error(".requiredClaims", "\"\" (expected: the name of a claim)");
    }
    return !claim.isEmpty();
  }

  private void error(String field, String message) {
    problems.error(provider.origin(), path + field, message);
  }

  private static String seconds(Duration duration) {
    return duration.toSeconds() + "s";
  }
}
