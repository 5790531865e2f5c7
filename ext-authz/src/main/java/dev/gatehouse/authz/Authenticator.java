package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.authz.jwt.KeySet;
import dev.gatehouse.authz.jwt.Keys;
import dev.gatehouse.authz.jwt.TokenReader;
import dev.gatehouse.authz.jwt.UnverifiedToken;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who calls: the token of the request, and the first provider that it concerns and that verifies it. A request has one
 * token: with several a later reader might take another than we did (RFC 6750 §2).
 */
final class Authenticator {
  private final TokenCache cache;
  private final int maxTokenBytes;

  Authenticator(TokenCache cache, int maxTokenBytes) {
    this.cache = cache;
    this.maxTokenBytes = maxTokenBytes;
  }

  /** Who it is, or why that cannot be said. */
  sealed interface Outcome permits Grant, Stopped {}

  record Stopped(Verdict verdict) implements Outcome {}

  Outcome authenticate(Guard guard, RequestView request, Facts facts, Instant now) {
    try {
      return identify(guard, request, facts, now);
    } catch (BadToken e) {
      return new Stopped(new Verdict.Deny(Verdict.Reason.BAD_TOKEN, "", guard.policy(), detail(e)));
    }
  }

  private Outcome identify(Guard guard, RequestView request, Facts facts, Instant now)
      throws BadToken {
    ByteString token = null;
    TokenLocation place = null;
    var locations = guard.locations();
    for (int i = 0; i < locations.size(); i++) {
      var found = locations.get(i).find(request);
      if (found != null && token != null) {
        throw new BadToken("more than one token");
      }
      if (found != null) {
        token = found;
        place = locations.get(i);
      }
    }
    if (token == null || place == null) {
      return guard.tokenRequired() ? noToken(guard) : guard.anonymous();
    }
    if (token.size() > maxTokenBytes) {
      throw new BadToken(token.size() + " bytes (at most " + maxTokenBytes + ")");
    }
    return verify(new Presented(guard, token, place, facts, now));
  }

  private static Outcome noToken(Guard guard) {
    return new Stopped(
        new Verdict.Deny(Verdict.Reason.NO_TOKEN, "", guard.policy(), "there is no token"));
  }

  private record Presented(
      Guard guard, ByteString token, TokenLocation place, Facts facts, Instant now) {}

  private Outcome verify(Presented presented) throws BadToken {
    var hash = TokenCache.hash(presented.token);
    var known = remembered(presented, hash);
    return known != null ? known : firstTime(presented, hash);
  }

  private @Nullable Grant remembered(Presented presented, TokenCache.Hash hash) {
    var providers = presented.guard.providers();
    for (int i = 0; i < providers.size(); i++) {
      var provider = providers.get(i);
      if (provider.locations().contains(presented.place)
          && provider.verifier().keys().keys(presented.now) instanceof Keys.Known(var keys)) {
        var session = cache.find(provider.verifier(), keys, hash);
        if (session != null && session.token().valid(presented.now)) {
          return session.grant(presented.guard, provider);
        }
      }
    }
    return null;
  }

  /** Any provider that it concerns may vouch for it; a refusal counts only when none is left that may yet. */
  private Outcome firstTime(Presented presented, TokenCache.Hash hash) throws BadToken {
    var token = TokenReader.read(presented.token.toByteArray());
    var needed = new ArrayList<Fact>();
    String unavailable = null;
    var refused = new BadToken("its iss is no provider's");
    for (var provider : presented.guard.providers()) {
      if (!provider.locations().contains(presented.place)
          || !provider.verifier().concerns(token)) {
        continue;
      }
      var keys = provider.verifier().keys();
      switch (keys.keys(presented.now)) {
        case Keys.Awaited _ -> needed.add(new Fact.KeysOf(keys));
        case Keys.Failed(var why) -> unavailable = why;
        case Keys.Known(var set) -> {
          try {
            switch (check(provider.verifier(), set, token, presented)) {
              case Checked.Good(var verified) -> {
                return cache
                    .keep(provider.verifier(), set, hash, verified, presented.token.size())
                    .grant(presented.guard, provider);
              }
              case Checked.Open(var fact) -> needed.add(fact);
              case Checked.Unsure(var why) -> unavailable = why;
            }
          } catch (BadToken e) {
            refused = e;
          }
        }
      }
    }
    if (!needed.isEmpty()) {
      return new Stopped(new Verdict.Needs(List.copyOf(needed), presented.guard.policy()));
    }
    if (unavailable != null) {
      return new Stopped(
          new Verdict.Unavailable("keys-unavailable", presented.guard.policy(), unavailable));
    }
    throw refused;
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
      return switch (verifier.keys().onUnknownKid(presented.now)) {
        case FETCH -> new Checked.Open(new Fact.KeysOf(verifier.keys()));
        case UNSURE -> new Checked.Unsure("its kid is unknown and newer keys could not be had");
        case REFUSE -> throw new BadToken("its kid is of no key");
      };
    }
    return Verifier.slow(candidates)
        ? new Checked.Open(new Fact.Signature(verifier, token, candidates))
        : new Checked.Good(verifier.verify(token, candidates, presented.now));
  }

  private static String detail(BadToken e) {
    return String.valueOf(e.getMessage());
  }
}
