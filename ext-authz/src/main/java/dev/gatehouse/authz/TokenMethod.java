package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.authz.jwt.KeySet;
import dev.gatehouse.authz.jwt.Keys;
import dev.gatehouse.authz.jwt.TokenReader;
import dev.gatehouse.authz.jwt.UnverifiedToken;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Trace;
import dev.gatehouse.policy.expr.Auth;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * JSON Web Tokens ({@code jwt}): the token of the request, and the first provider that it concerns and that verifies it. A request
 * has one token: with several a later reader might take another than we did (RFC 6750 §2).
 */
final class TokenMethod implements Method {
  private final List<Provider> providers;
  private final List<TokenLocation> locations;

  /** By the place of a location: the providers that look there. */
  private final List<List<Provider>> lookingAt;

  private final boolean required;
  private final TokenCache cache;
  private final int maxTokenBytes;

  /** @param providers at least one */
  TokenMethod(List<Provider> providers, boolean required, TokenCache cache, int maxTokenBytes) {
    this.providers = List.copyOf(providers);
    this.locations =
        providers.stream().flatMap(p -> p.locations().stream()).distinct().toList();
    this.lookingAt = locations.stream()
        .map(place ->
            providers.stream().filter(p -> p.locations().contains(place)).toList())
        .toList();
    this.required = required;
    this.cache = cache;
    this.maxTokenBytes = maxTokenBytes;
  }

  @Override
  public String name() {
    return "jwt";
  }

  @Override
  public String scheme() {
    return "Bearer";
  }

  @Override
  public boolean required() {
    return required;
  }

  @Override
  public List<ClaimPath> claims() {
    return providers.stream()
        .flatMap(p -> p.claimHeaders().stream())
        .map(Provider.ClaimHeader::claim)
        .toList();
  }

  @Override
  public Attempt attempt(RequestView request, Facts facts, Instant now) {
    try {
      return find(request, facts, now);
    } catch (BadToken e) {
      return new Attempt.Bad(String.valueOf(e.getMessage()));
    }
  }

  private Attempt find(RequestView request, Facts facts, Instant now) throws BadToken {
    ByteString token = null;
    int place = -1;
    for (int i = 0; i < locations.size(); i++) {
      var found = locations.get(i).find(request);
      if (found != null && token != null) {
        throw new BadToken("more than one token");
      }
      if (found != null) {
        token = found;
        place = i;
      }
    }
    if (token == null) {
      return Attempt.ABSENT;
    }
    if (request.trace().listens()) {
      request
          .trace()
          .step("jwt", locations.get(place).toString(), "a token of " + token.size() + " bytes");
    }
    if (token.size() > maxTokenBytes) {
      throw new BadToken(token.size() + " bytes (at most " + maxTokenBytes + ")");
    }
    return verify(new Presented(token, lookingAt.get(place), facts, now, request.trace()));
  }

  private record Presented(
      ByteString token, List<Provider> providers, Facts facts, Instant now, Trace trace) {}

  private Attempt verify(Presented presented) throws BadToken {
    var hash = TokenCache.hash(presented.token);
    var known = remembered(presented, hash);
    return known != null ? known : firstTime(presented, hash);
  }

  private @Nullable Proof remembered(Presented presented, TokenCache.Hash hash) {
    var providers = presented.providers;
    for (int i = 0; i < providers.size(); i++) {
      var provider = providers.get(i);
      if (provider.verifier().keys().keys(presented.now) instanceof Keys.Known(var keys)) {
        var session = cache.find(provider.verifier(), keys, hash);
        if (session != null && session.token().valid(presented.now)) {
          return session.proof(provider);
        }
      }
    }
    return null;
  }

  /** Any provider that it concerns may vouch for it; a refusal counts only when none is left that may yet. */
  private Attempt firstTime(Presented presented, TokenCache.Hash hash) throws BadToken {
    var read = presented.facts.token();
    var token = read == null ? TokenReader.read(presented.token.toByteArray()) : read;
    var needed = new ArrayList<Fact>();
    String unsure = null;
    var refused = new BadToken("its iss is no provider's");
    for (var provider : presented.providers) {
      if (!provider.verifier().concerns(token)) {
        continue;
      }
      var keys = provider.verifier().keys();
      switch (keys.keys(presented.now)) {
        case Keys.Awaited _ -> needed.add(new Fact.KeysOf(keys));
        case Keys.Failed(var why) -> unsure = why;
        case Keys.Known(var set) -> {
          try {
            tell(presented.trace, provider, token, set);
            switch (check(provider.verifier(), set, token, presented)) {
              case Checked.Good(var verified) -> {
                return cache
                    .keep(provider.verifier(), set, hash, verified, presented.token.size())
                    .proof(provider);
              }
              case Checked.Open(var fact) -> needed.add(fact);
              case Checked.Unsure(var why) -> unsure = why;
            }
          } catch (BadToken e) {
            presented.trace.step(
                "jwt provider " + provider.name(), "the token", String.valueOf(e.getMessage()));
            refused = e;
          }
        }
      }
    }
    if (!needed.isEmpty()) {
      return new Attempt.Open(List.copyOf(needed));
    }
    if (unsure != null) {
      return new Attempt.Unsure(unsure);
    }
    throw refused;
  }

  private static void tell(Trace trace, Provider provider, UnverifiedToken token, KeySet keys) {
    if (trace.listens()) {
      trace.step(
          "jwt provider " + provider.name(),
          "alg " + token.jws().algorithm() + ", kid " + token.jws().kid() + ", typ "
              + token.jws().type() + ", iss " + token.issuer() + ", aud " + token.audiences(),
          "asked; it has the keys of generation " + keys.generation());
    }
  }

  /** What a provider says of a token that it does not refuse. */
  private sealed interface Checked {
    record Good(VerifiedToken token) implements Checked {}

    record Open(Fact fact) implements Checked {}

    record Unsure(String why) implements Checked {}
  }

  private static Checked check(
      Verifier verifier, KeySet set, UnverifiedToken token, Presented presented) throws BadToken {
    var signed = presented.facts.by(verifier);
    if (signed != null && signed.token() != null) {
      return new Checked.Good(signed.token());
    }
    if (signed != null && signed.refused() != null) {
      throw signed.refused();
    }
    var candidates = verifier.candidates(token, set, presented.now);
    if (candidates.isEmpty()) {
      return switch (verifier.keys().onUnknownKid(set, token.jws(), presented.now)) {
        case FETCH -> new Checked.Open(new Fact.KeysOf(verifier.keys()));
        case UNSURE ->
          new Checked.Unsure(
              "its kid is unknown, and whether there are newer keys cannot be said yet");
        case REFUSE -> throw new BadToken("its kid is of no key");
      };
    }
    var forgeries = Forgeries.ofThisLoop();
    if (Verifier.slow(candidates) || (forgeries != null && !forgeries.mayCheck())) {
      return new Checked.Open(new Fact.Signature(verifier, token, candidates));
    }
    try {
      return new Checked.Good(verifier.verify(token, candidates, presented.now));
    } catch (BadToken e) {
      if (forgeries != null) {
        forgeries.found();
      }
      throw e;
    }
  }

  /** Who a token says that the caller is. */
  static Identity identity(Provider provider, VerifiedToken token) {
    var plan = token.claims().get("plan") instanceof String text ? text : null;
    var present = new LinkedHashMap<String, Object>();
    token.claims().forEach((name, value) -> {
      if (value != null) {
        present.put(name, value);
      }
    });
    return new Identity(
        new Auth("jwt", token.subject(), token.issuer(), token.scopes(), present, plan),
        provider.name(),
        token.claims(),
        HeaderChanges.ofClaims(provider.claimHeaders(), token.claims()));
  }
}
