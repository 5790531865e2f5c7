package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.apikey.ApiKeys;
import dev.gatehouse.authz.jwt.BadToken;
import java.time.Instant;
import java.util.List;

/**
 * API keys ({@code apiKeyAuth}): one key in one of the policy's places, known by its hash. Two of them, in one place or in several,
 * are a bad credential: a later reader might take another than we did.
 */
final class ApiKeyMethod implements Method {
  private final ApiKeys<Proof> keys;
  private final List<TokenLocation> locations;
  private final Stripped strips;

  /** @param strips what is taken out of the request, good or not */
  ApiKeyMethod(ApiKeys<Proof> keys, List<TokenLocation> locations, Stripped strips) {
    this.keys = keys;
    this.locations = List.copyOf(locations);
    this.strips = strips;
  }

  @Override
  public String name() {
    return "apiKey";
  }

  @Override
  public String scheme() {
    return "ApiKey";
  }

  @Override
  public boolean required() {
    return true;
  }

  @Override
  public Stripped strips() {
    return strips;
  }

  @Override
  public Attempt attempt(RequestView request, Facts facts, Instant now) {
    ByteString key = null;
    for (int i = 0; i < locations.size(); i++) {
      ByteString found;
      try {
        found = locations.get(i).find(request);
      } catch (BadToken e) {
        return new Attempt.Bad(String.valueOf(e.getMessage()));
      }
      if (found != null && key != null) {
        return new Attempt.Bad("more than one API key");
      }
      key = found == null ? key : found;
    }
    if (key == null) {
      return Attempt.ABSENT;
    }
    for (int i = 0; i < strips.parameters().size(); i++) {
      if (request.disguises(strips.parameters().get(i))) {
        return new Attempt.Bad("the parameter's name is written in escapes");
      }
    }
    var proof = keys.find(key);
    return proof == null ? new Attempt.Bad("the API key is nobody's") : proof;
  }
}
