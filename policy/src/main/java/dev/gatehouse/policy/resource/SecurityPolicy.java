package dev.gatehouse.policy.resource;

import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who is it, and may they: {@code gateway.envoyproxy.io/v1alpha1 SecurityPolicy}, or its superset {@code gatehouse.dev/v1alpha1
 * AuthPolicy} ({@code meta.kind} says which). A policy without any of the fields opts its target out; one that holds only {@code
 * extAuth} is the attachment of a service, and does not.
 *
 * <p>In a SecurityPolicy every method that is given must hold, as the gateway's filters do in a row; in an AuthPolicy any that
 * succeeds identifies ({@link #anyMethod}).
 *
 * @param attachmentOnly the spec holds {@code extAuth} and nothing else
 * @param cors written by {@code wire} as Envoy's own filter, before ext_authz
 * @param clientCertificate AuthPolicy only, as are the following but {@code authorization}
 * @param anonymous who shows no credential passes, under its condition
 * @param shadow {@code enforcement: Shadow}: decides, logs, counts, allows
 * @param merges {@code mergeType}: where the route's Gateway or listener has a policy, what holds is the two merged
 */
public record SecurityPolicy(
    Meta meta,
    Targets targets,
    boolean attachmentOnly,
    @Nullable Cors cors,
    @Nullable Jwt jwt,
    @Nullable ApiKeyAuth apiKeyAuth,
    @Nullable BasicAuth basicAuth,
    @Nullable ClientCertificate clientCertificate,
    @Nullable Anonymous anonymous,
    @Nullable Authorization authorization,
    Response response,
    boolean shadow,
    boolean merges,
    RawSpec spec)
    implements Policy {

  /** A policy that merges into no other. */
  public SecurityPolicy(
      Meta meta,
      Targets targets,
      boolean attachmentOnly,
      @Nullable Cors cors,
      @Nullable Jwt jwt,
      @Nullable ApiKeyAuth apiKeyAuth,
      @Nullable BasicAuth basicAuth,
      @Nullable ClientCertificate clientCertificate,
      @Nullable Anonymous anonymous,
      @Nullable Authorization authorization,
      Response response,
      boolean shadow) {
    this(
        meta,
        targets,
        attachmentOnly,
        cors,
        jwt,
        apiKeyAuth,
        basicAuth,
        clientCertificate,
        anonymous,
        authorization,
        response,
        shadow,
        false,
        RawSpec.NONE);
  }

  /** A policy without any field. */
  public static SecurityPolicy empty(Meta meta, Targets targets, boolean attachmentOnly) {
    return new SecurityPolicy(
        meta,
        targets,
        attachmentOnly,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        Response.NONE,
        false);
  }

  /** Whether any of the methods that succeeds identifies; else all of them must. */
  public boolean anyMethod() {
    return meta.kind().equals("AuthPolicy");
  }

  /** Whether ext-authz has anything to ask: a policy with nothing but CORS does not. */
  public boolean guards() {
    return jwt != null
        || apiKeyAuth != null
        || basicAuth != null
        || clientCertificate != null
        || anonymous != null
        || authorization != null
        || !response.equals(Response.NONE);
  }

  @Override
  public SortedSet<String> ownedHeaders() {
    var names = new TreeSet<String>();
    if (jwt != null) {
      jwt.providers()
          .forEach(
              provider -> provider.claimToHeaders().forEach(claim -> names.add(claim.header())));
    }
    if (apiKeyAuth != null && apiKeyAuth.forwardClientIdHeader() != null) {
      names.add(apiKeyAuth.forwardClientIdHeader());
    }
    if (basicAuth != null && basicAuth.forwardUsernameHeader() != null) {
      names.add(basicAuth.forwardUsernameHeader());
    }
    response.headers().forEach(field -> names.add(field.name()));
    return names.stream()
        .map(name -> name.toLowerCase(Locale.ROOT))
        .filter(Formats::isOwnableHeader)
        .collect(Collectors.collectingAndThen(
            Collectors.toCollection(TreeSet::new), Collections::unmodifiableSortedSet));
  }

  /** The header names, in lower case, in which it looks for credentials. */
  public Set<String> credentialHeaders() {
    var names = new HashSet<String>();
    if (jwt != null) {
      for (var provider : jwt.providers()) {
        addHeaders(provider.extractFrom(), names);
      }
    }
    if (apiKeyAuth != null) {
      apiKeyAuth.extractFrom().forEach(from -> addHeaders(from, names));
    }
    if (basicAuth != null) {
      names.add("authorization");
    }
    if (clientCertificate != null && clientCertificate.forwarded()) {
      names.add("x-forwarded-client-cert");
    }
    return names;
  }

  private static void addHeaders(@Nullable ExtractFrom from, Set<String> names) {
    if (from == null
        || (from.headers().isEmpty()
            && from.cookies().isEmpty()
            && from.params().isEmpty())) {
      names.add("authorization");
      return;
    }
    from.headers().forEach(header -> names.add(header.name()));
    if (!from.cookies().isEmpty()) {
      names.add("cookie");
    }
  }

  /** Origins are exact or hold one {@code *}, as in {@code https://*.example.com}. */
  public record Cors(
      List<String> allowOrigins,
      List<String> allowMethods,
      List<String> allowHeaders,
      List<String> exposeHeaders,
      @Nullable Duration maxAge,
      boolean allowCredentials,
      Origin origin) {}

  /** @param optional a request without a token passes, one with a bad token does not */
  public record Jwt(boolean optional, List<Provider> providers) {}

  public record Provider(
      String name,
      @Nullable String issuer,
      List<String> audiences,
      Jwks jwks,
      List<ClaimToHeader> claimToHeaders,
      @Nullable ExtractFrom extractFrom,
      TokenRules tokens,
      Origin origin) {}

  /**
   * What an AuthPolicy may ask of a provider's tokens beyond Envoy Gateway's language.
   *
   * @param algorithms JOSE names; empty leaves it to the keys
   * @param types values of {@code typ}; empty means the default: JWT, at+jwt or none. {@code at+jwt} alone asks for RFC 9068
   * @param clockSkew null means the default
   * @param maxLifetime {@code exp} minus {@code iat} at most; null means any
   * @param requiredClaims names, as in {@link ClaimToHeader}
   */
  public record TokenRules(
      List<String> algorithms,
      List<String> types,
      @Nullable Duration clockSkew,
      @Nullable Duration maxLifetime,
      List<String> requiredClaims) {
    public static final TokenRules NONE =
        new TokenRules(List.of(), List.of(), null, null, List.of());
  }

  public sealed interface Jwks {}

  /**
   * @param uri null: found by OpenID Connect Discovery at the provider's issuer (AuthPolicy)
   * @param tls AuthPolicy; null means the system's authorities and no client certificate
   */
  public record RemoteJwks(
      @Nullable URI uri, Duration cacheDuration, @Nullable ProviderTls tls) implements Jwks {}

  /**
   * How a provider is talked to.
   *
   * @param ca a Secret or ConfigMap with {@code ca.crt}; null means the system's authorities
   * @param clientCertificate a Secret with {@code tls.crt} and {@code tls.key}
   */
  public record ProviderTls(
      @Nullable ObjectRef ca, @Nullable ObjectRef clientCertificate) {}

  public record InlineJwks(String json) implements Jwks {}

  /** {@code localJWKS.valueRef}: the only key of a ConfigMap, or its key {@code jwks}. */
  public record RefJwks(ObjectRef configMap) implements Jwks {}

  /** @param claim a path of names with dots between, into nested objects */
  public record ClaimToHeader(String claim, String header) {}

  /** Where a token is looked for; null in {@link Provider} means {@code Authorization: Bearer}, then the parameter {@code access_token}. */
  public record ExtractFrom(List<FromHeader> headers, List<String> cookies, List<String> params) {}

  public record FromHeader(String name, @Nullable String valuePrefix) {}

  /**
   * @param credentialRefs Secrets: client id → key; a value {@code sha256:} and 64 hexadecimal digits is a key's hash
   * @param extractFrom each names headers, parameters or cookies; a header's {@code valuePrefix} is always null here
   * @param forwardClientIdHeader in which the upstream is told the client id
   * @param sanitize the credential is taken out of the request before it goes on
   * @param clients AuthPolicy: a ConfigMap, client id → a JSON object such as {@code {"plan": "gold", "owner": "ops"}} that
   *     becomes {@code auth.claims}
   */
  public record ApiKeyAuth(
      List<ObjectRef> credentialRefs,
      List<ExtractFrom> extractFrom,
      @Nullable String forwardClientIdHeader,
      boolean sanitize,
      @Nullable ObjectRef clients,
      Origin origin) {}

  /** @param users a Secret whose key {@code .htpasswd} holds {@code {SHA}} or bcrypt entries */
  public record BasicAuth(ObjectRef users, @Nullable String forwardUsernameHeader, Origin origin) {}

  /**
   * The caller's TLS certificate, verified by us against the policy's own authorities.
   *
   * @param forwarded {@code from: Forwarded}: from {@code x-forwarded-client-cert}, and only if the peer is in {@code trusted};
   *     else the peer's own
   * @param ca a Secret or ConfigMap with {@code ca.crt}
   * @param subjects any of: a URI SAN ({@code spiffe://corp/*}), a DNS SAN ({@code *.corp.example}), or a subject ({@code
   *     CN=orders,O=Corp}); empty takes any certificate of the authorities
   * @param trusted addresses (CIDR) of proxies that may forward
   */
  public record ClientCertificate(
      boolean forwarded,
      ObjectRef ca,
      List<String> subjects,
      List<String> trusted,
      Origin origin) {}

  /** @param when CEL that sees no {@code auth}; null means always */
  public record Anonymous(@Nullable String when, Origin origin) {}

  /**
   * What an answer carries beyond the decision; all values are templates.
   *
   * @param headers towards the upstream; owned by the Gateway like those of {@code claimToHeaders}
   * @param metadata string values in the dynamic metadata's {@code auth} namespace, for later filters
   * @param deniedHeaders on a denial; their templates see no {@code auth}
   */
  public record Response(List<Field> headers, List<Field> metadata, List<Field> deniedHeaders) {
    public static final Response NONE = new Response(List.of(), List.of(), List.of());
  }

  /** @param template text with {@code ${…}} */
  public record Field(String name, String template, Origin origin) {}

  public record Authorization(Action defaultAction, List<Rule> rules) {}

  public enum Action {
    ALLOW,
    DENY
  }

  /** The first rule whose every part holds decides. */
  public record Rule(
      @Nullable String name,
      Action action,
      @Nullable Operation operation,
      @Nullable Principal principal,
      @Nullable String cel,
      Origin origin) {}

  /**
   * @param methods any of; empty means any method
   * @param invertPath the path must not be that
   */
  public record Operation(List<String> methods, @Nullable StringMatch path, boolean invertPath) {}

  /** All the parts that are given must hold. */
  public record Principal(
      List<String> clientCidrs, @Nullable JwtPrincipal jwt, List<HeaderValues> headers) {}

  /** @param scopes all must be there; every claim must hold */
  public record JwtPrincipal(String provider, List<ClaimValues> claims, List<String> scopes) {}

  /** @param array {@code valueType: StringArray}: any element equal to any value */
  public record ClaimValues(String name, boolean array, List<String> values) {}

  public record HeaderValues(String name, List<String> values) {}
}
