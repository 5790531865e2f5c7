package dev.gatehouse.authz;

import dev.gatehouse.authz.Verdict.Because;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Subject;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * A caller in front of a policy: who it is, and what an allow would tell the upstream and later filters. It allows nothing by
 * itself. The same credential in front of the same policy is the same grant, and so has the same answer, which is kept here.
 */
final class Grant implements Authenticator.Outcome, Subject {
  private final Because because;
  private final String policy;
  private final @Nullable Auth auth;
  private final @Nullable Identity token;
  private final Told told;
  private final HeaderChanges changes;
  private volatile Answers.@Nullable Ready answer;

  private Grant(
      Because because,
      String policy,
      @Nullable Auth auth,
      @Nullable Identity token,
      Told told,
      HeaderChanges changes) {
    this.because = because;
    this.policy = policy;
    this.auth = auth;
    this.token = token;
    this.told = told;
    this.changes = changes;
  }

  /**
   * What later filters are told beside who it is.
   *
   * @param claims in {@code auth.claims}
   * @param copies single values among them as text, by the names that the policy uses, for rate limit descriptors
   * @param plan instead of the caller's own; null leaves that
   */
  private record Told(
      Map<String, Object> claims,
      Map<String, String> copies,
      @Nullable String plan) {
    static final Told NOTHING = new Told(Map.of(), Map.of(), null);
  }

  /** Of a caller that these methods identified, the one that counts most first. */
  static Grant of(Guard guard, List<Identity> who) {
    var token = who.stream().filter(w -> w.provider() != null).findFirst().orElse(null);
    var headers = new LinkedHashMap<String, String>();
    who.forEach(each -> each.headers().forEach(headers::putIfAbsent));
    var grant = new Grant(
        Because.IDENTIFIED,
        guard.policy(),
        auth(who),
        token,
        told(guard, who),
        guard.changes(headers));
    return guard.answersAlike() ? grant.answering(guard, new CallerOnly(grant.auth)) : grant;
  }

  /** Of a caller that shows no credential, where the policy lets such pass. */
  static Grant anonymous(Guard guard, Because because) {
    var nobody = new Auth("anonymous", null, null, List.of(), Map.of(), null);
    var grant =
        new Grant(because, guard.policy(), nobody, null, Told.NOTHING, guard.changes(Map.of()));
    return guard.answersAlike() ? grant.answering(guard, new CallerOnly(nobody)) : grant;
  }

  /** Of a request on which no policy holds. */
  static Grant open(SortedSet<String> ownedHeaders) {
    return new Grant(
        Because.OPEN, "", null, null, Told.NOTHING, HeaderChanges.removing(ownedHeaders));
  }

  /** The same caller with what the policy says of this request; itself if it says nothing of it alone. */
  Grant answering(Guard guard, RequestView request, RouteKey route) {
    if (guard.answersAlike() && !guard.stripsCookies()) {
      return this;
    }
    var grant = guard.answersAlike() ? this : answering(guard, seen(request, route));
    return grant.without(guard.cookies(request));
  }

  private Grant answering(Guard guard, RequestFacts seen) {
    var response = guard.response();
    if (response.isEmpty()) {
      return this;
    }
    var claims = new LinkedHashMap<>(told.claims);
    var copies = new LinkedHashMap<>(told.copies);
    var metadata = response.metadata(seen);
    claims.putAll(metadata);
    copies.putAll(metadata);
    return new Grant(
        because,
        policy,
        auth,
        token,
        new Told(claims, copies, metadata.get("plan")),
        changes.with(response.headers(seen)));
  }

  private Grant without(HeaderChanges cookies) {
    return cookies.isEmpty()
        ? this
        : new Grant(because, policy, auth, token, told, changes.and(cookies));
  }

  Because because() {
    return because;
  }

  String policy() {
    return policy;
  }

  @Override
  public @Nullable String provider() {
    return token == null ? null : token.provider();
  }

  @Override
  public List<String> scopes() {
    return token == null ? List.of() : token.auth().scopes();
  }

  @Override
  public Map<String, @Nullable Object> claims() {
    return token == null ? Map.of() : token.claims();
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
    return told.claims;
  }

  /** Single values among them as text, by the names that the policy uses. */
  Map<String, String> copies() {
    return told.copies;
  }

  @Nullable
  String plan() {
    return told.plan != null || auth == null ? told.plan : auth.plan();
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

  /** One caller of several methods: what the first says; what it does not say, the next. */
  private static Auth auth(List<Identity> who) {
    if (who.size() == 1) {
      return who.getFirst().auth();
    }
    var claims = new LinkedHashMap<String, Object>();
    who.forEach(each -> each.auth().claims().forEach(claims::putIfAbsent));
    var first = who.getFirst().auth();
    return new Auth(
        first.method(),
        first.sub(),
        first.iss(),
        who.stream().flatMap(each -> each.auth().scopes().stream()).distinct().toList(),
        claims,
        who.stream()
            .map(each -> each.auth().plan())
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null));
  }

  /** Of a token the claims that the policy names; what else a method says of a caller stands in the policy's own files, and is told whole. */
  private static Told told(Guard guard, List<Identity> who) {
    var claims = new LinkedHashMap<String, Object>();
    var copies = new LinkedHashMap<String, String>();
    for (var each : who) {
      if (each.provider() != null) {
        named(guard.claims(), each.claims(), claims, copies);
      } else {
        each.auth().claims().forEach((name, value) -> {
          claims.putIfAbsent(name, value);
          copy(name, value, copies);
        });
      }
    }
    return new Told(claims, copies, null);
  }

  /** Claims that the policy names, whole: of a nested one the claim at the top that it is in. */
  private static void named(
      List<ClaimPath> paths,
      Map<String, @Nullable Object> claims,
      Map<String, Object> told,
      Map<String, String> copies) {
    for (var path : paths) {
      var top = path.top(claims);
      var value = top == null ? null : claims.get(top);
      if (top != null && value != null) {
        told.put(top, value);
      }
      copy(path.toString(), path.in(claims), copies);
    }
  }

  private static void copy(String name, @Nullable Object value, Map<String, String> copies) {
    var text = value instanceof List || value instanceof Map ? null : HeaderChanges.text(value);
    if (text != null) {
      copies.putIfAbsent(name, text);
    }
  }
}
