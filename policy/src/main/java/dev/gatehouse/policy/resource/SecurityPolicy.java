package dev.gatehouse.policy.resource;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code gateway.envoyproxy.io/v1alpha1 SecurityPolicy}: who is it, and may they. A policy without any of the fields opts its target
 * out; one that holds only {@code extAuth} is the attachment of a service, and does not.
 *
 * @param attachmentOnly the spec holds {@code extAuth} and nothing else
 * @param cors written by {@code wire} as Envoy's own filter, before ext_authz
 */
public record SecurityPolicy(
    Meta meta,
    Targets targets,
    boolean attachmentOnly,
    @Nullable Cors cors,
    @Nullable Jwt jwt,
    @Nullable Authorization authorization)
    implements Policy {

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
      Origin origin) {}

  public sealed interface Jwks {}

  public record RemoteJwks(URI uri, Duration cacheDuration) implements Jwks {}

  public record InlineJwks(String json) implements Jwks {}

  /** {@code localJWKS.valueRef}: the only key of a ConfigMap, or its key {@code jwks}. */
  public record RefJwks(ObjectRef configMap) implements Jwks {}

  /** @param claim a path of names with dots between, into nested objects */
  public record ClaimToHeader(String claim, String header) {}

  /** Where a token is looked for; null in {@link Provider} means {@code Authorization: Bearer}, then the parameter {@code access_token}. */
  public record ExtractFrom(List<FromHeader> headers, List<String> cookies, List<String> params) {}

  public record FromHeader(String name, @Nullable String valuePrefix) {}

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

  /** @param methods any of; empty means any method */
  public record Operation(List<String> methods, @Nullable StringMatch path) {}

  /** All the parts that are given must hold. */
  public record Principal(
      List<String> clientCidrs, @Nullable JwtPrincipal jwt, List<HeaderValues> headers) {}

  /** @param scopes all must be there; every claim must hold */
  public record JwtPrincipal(String provider, List<ClaimValues> claims, List<String> scopes) {}

  /** @param array {@code valueType: StringArray}: any element equal to any value */
  public record ClaimValues(String name, boolean array, List<String> values) {}

  public record HeaderValues(String name, List<String> values) {}
}
