package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Subject;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * A caller in front of a policy: who it is, and what an allow would tell the upstream and later filters. It allows nothing by
 * itself. The same token in front of the same policy is the same grant, and so has the same answer, which is kept here.
 */
final class Grant implements Authenticator.Outcome, Subject {
  private final String policy;
  private final @Nullable String provider;
  private final @Nullable Auth auth;
  private final List<String> scopes;
  private final Map<String, @Nullable Object> claims;
  private final Map<String, Object> toldClaims;
  private final Map<String, String> copies;
  private final HeaderChanges changes;
  private volatile Answers.@Nullable Ready answer;

  private Grant(
      String policy,
      @Nullable String provider,
      @Nullable Auth auth,
      VerifiedClaims verified,
      HeaderChanges changes) {
    this.policy = policy;
    this.provider = provider;
    this.auth = auth;
    this.scopes = verified.scopes;
    this.claims = verified.claims;
    this.toldClaims = verified.told;
    this.copies = verified.copies;
    this.changes = changes;
  }

  private record VerifiedClaims(
      List<String> scopes,
      Map<String, @Nullable Object> claims,
      Map<String, Object> told,
      Map<String, String> copies) {
    static final VerifiedClaims NONE = new VerifiedClaims(List.of(), Map.of(), Map.of(), Map.of());
  }

  /** Of a verified token. */
  static Grant of(Guard guard, Provider provider, VerifiedToken token) {
    var plan = token.claims().get("plan") instanceof String text ? text : null;
    var present = new LinkedHashMap<String, Object>();
    token.claims().forEach((name, value) -> {
      if (value != null) {
        present.put(name, value);
      }
    });
    return new Grant(
        guard.policy(),
        provider.name(),
        new Auth("jwt", token.subject(), token.issuer(), token.scopes(), present, plan),
        new VerifiedClaims(
            token.scopes(),
            token.claims(),
            told(guard.claims(), token.claims()),
            copies(guard.claims(), token.claims())),
        HeaderChanges.of(guard.ownedHeaders(), provider.claimHeaders(), token.claims()));
  }

  /** Of a caller without a token, where the policy lets such pass. */
  static Grant anonymous(Guard guard) {
    var nobody = new Auth("anonymous", null, null, List.of(), Map.of(), null);
    return new Grant(
        guard.policy(),
        null,
        nobody,
        VerifiedClaims.NONE,
        HeaderChanges.removing(guard.ownedHeaders()));
  }

  /** Of a request on which no policy holds. */
  static Grant open(SortedSet<String> ownedHeaders) {
    return new Grant("", null, null, VerifiedClaims.NONE, HeaderChanges.removing(ownedHeaders));
  }

  String policy() {
    return policy;
  }

  @Override
  public @Nullable String provider() {
    return provider;
  }

  @Override
  public List<String> scopes() {
    return scopes;
  }

  @Override
  public Map<String, @Nullable Object> claims() {
    return claims;
  }

  @Override
  public RequestFacts seen(RequestFacts request, RouteKey route) {
    return new SeenRequest(request, auth, route);
  }

  /** Null on a route without a policy. */
  @Nullable
  Auth auth() {
    return auth;
  }

  /** The claims that later filters are told. */
  Map<String, Object> toldClaims() {
    return toldClaims;
  }

  /** Single values among them as text, by the names that the policy uses. */
  Map<String, String> copies() {
    return copies;
  }

  HeaderChanges changes() {
    return changes;
  }

  Answers.@Nullable Ready answer() {
    return answer;
  }

  void keep(Answers.Ready answer) {
    this.answer = answer;
  }

  /** The subject, or what stands for it. */
  String who() {
    if (auth == null) {
      return "";
    }
    return auth.sub() == null ? auth.method() : auth.sub();
  }

  /** Claims that the policy names, whole: of a nested one the claim at the top that it is in. */
  private static Map<String, Object> told(
      List<ClaimPath> paths, Map<String, @Nullable Object> claims) {
    var told = new LinkedHashMap<String, Object>();
    for (var path : paths) {
      var top = path.top(claims);
      var value = top == null ? null : claims.get(top);
      if (top != null && value != null) {
        told.put(top, value);
      }
    }
    return told;
  }

  /** What the policy's names for claims stand for, where it is a single value. */
  private static Map<String, String> copies(
      List<ClaimPath> paths, Map<String, @Nullable Object> claims) {
    var copies = new LinkedHashMap<String, String>();
    for (var path : paths) {
      var value = path.in(claims);
      var text = value instanceof List || value instanceof Map ? null : HeaderChanges.text(value);
      if (text != null) {
        copies.put(path.toString(), text);
      }
    }
    return copies;
  }
}
